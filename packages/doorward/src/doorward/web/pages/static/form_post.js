"use strict";
// A field may be named "submit" and then hides the method of that name.
HTMLFormElement.prototype.submit.call(document.getElementById("form-post"));
