// Passkeys: without this file each step has another way.
// requires: page.js vendor/simplewebauthn-browser.min.js
// @simplewebauthn/browser 14.0.0 is Copyright (c) 2020 Matthew Miller, MIT licence.

(() => {
  const lib = SimpleWebAuthnBrowser;
  const all = (selector) => document.querySelectorAll(selector);
  if (!lib.browserSupportsWebAuthn()) return;

  // The person cancelled, waited too long or began something else. They know; there is nothing to say.
  const quiet = ["AbortError", "NotAllowedError"];

  const send = (form, credential) => {
    form.elements.namedItem("credential").value = JSON.stringify(credential);
    form.requestSubmit();
  };

  const say = (form, error) => {
    if (quiet.includes(error.name)) return;
    const note = form.querySelector(error.name === "InvalidStateError" ? "[data-passkey-known]" : "[data-passkey-failed]");
    if (!note) return;
    note.hidden = false;
    // A screen reader reads what has the focus.
    note.focus();
  };

  const hush = (form) => {
    for (const note of form.querySelectorAll("[data-passkey-known], [data-passkey-failed]")) note.hidden = true;
  };

  // A challenge lives ten minutes; a page that is open for longer gets a new one in time.
  const FRESH = 8 * 60 * 1000;

  for (const form of all("form[data-passkey-get]")) {
    let options = JSON.parse(form.dataset.options);
    let since = Date.now();
    const autofill = "autofill" in form.dataset;

    const renew = async () => {
      const answer = await fetch(form.dataset.renew, { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      options = await answer.json();
      since = Date.now();
    };

    // Passkeys appear in the suggestions of the email field, until something else is begun.
    const suggest = async () => {
      if (!autofill || !(await lib.browserSupportsWebAuthnAutofill())) return;
      try {
        send(form, await lib.startAuthentication({ optionsJSON: options, useBrowserAutofill: true }));
      } catch {
        // Nobody asked for it, so nobody is told.
      }
    };

    let busy = false;
    const again = async () => {
      if (busy) return;
      busy = true;
      try {
        await renew();
      } catch {
        return;
      } finally {
        busy = false;
      }
      await suggest();
    };

    for (const part of form.querySelectorAll("[data-passkey]")) part.hidden = false;
    for (const button of form.querySelectorAll("button[data-passkey]")) {
      button.addEventListener("click", async () => {
        hush(form);
        try {
          if (Date.now() - since > FRESH) await renew();
          // A new call ends the one behind the suggestions.
          send(form, await lib.startAuthentication({ optionsJSON: options }));
        } catch (error) {
          say(form, error);
          await suggest();
        }
      });
    }

    setInterval(() => { if (!document.hidden && autofill && Date.now() - since > FRESH) again(); }, 30000);
    // A page that the back button shows again has spent its challenge.
    window.addEventListener("pageshow", (event) => { if (event.persisted) again(); });
    suggest();
  }

  for (const form of all("form[data-passkey-create]")) {
    for (const part of form.querySelectorAll("[data-passkey]")) part.hidden = false;
    for (const button of form.querySelectorAll("button[data-passkey]")) {
      button.addEventListener("click", async () => {
        hush(form);
        try {
          send(form, await lib.startRegistration({ optionsJSON: JSON.parse(form.dataset.options) }));
        } catch (error) {
          say(form, error);
        }
      });
    }
  }

  // After a password was typed, its manager may keep a passkey too, without a question. The answer is 204: the page stays.
  for (const form of all("form[data-passkey-silent]")) {
    lib.getBrowserCapabilities().then(async (can) => {
      if (can.conditionalCreate !== "supported") return;
      send(form, await lib.startRegistration({ optionsJSON: JSON.parse(form.dataset.options), useAutoRegister: true }));
    }).catch(() => {});
  }

  // What password managers should know: which passkeys still work, and whose they are.
  for (const place of all("[data-signals]")) {
    for (const signal of JSON.parse(place.dataset.signals)) lib.sendSignal(signal).catch(() => {});
  }

  window.addEventListener("pagehide", () => lib.WebAuthnAbortService.cancelCeremony());
})();
