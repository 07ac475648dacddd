"use strict";
// Every page works without this file; it only adds comfort.

for (const button of document.querySelectorAll("[data-show]")) {
  const input = document.getElementById(button.dataset.show);
  const off = { text: button.textContent, label: button.getAttribute("aria-label") };
  const set = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.on : off.text;
    button.setAttribute("aria-label", shown ? button.dataset.onLabel : off.label);
  };
  button.hidden = false;
  button.addEventListener("click", () => set(input.type === "password"));
  // A password manager saves, and a browser remembers, only what is a password field when it is sent.
  input.form.addEventListener("submit", () => set(false));
}

for (const form of document.querySelectorAll("form[method=post]")) {
  // The server answers a double click once; this only spares it the second request. Nothing stays locked when no answer comes, or
  // when the page is shown again by the back button.
  let sent = 0;
  form.addEventListener("submit", (event) => {
    if (performance.now() - sent < 10000 && sent) event.preventDefault();
    else sent = performance.now();
  });
  window.addEventListener("pageshow", () => { sent = 0; });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  const source = document.getElementById(button.dataset.copy);
  const text = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const lines = source.querySelectorAll("code");
    const value = lines.length ? Array.from(lines, (line) => line.textContent).join("\n") : source.textContent.replace(/\s/g, "");
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = text; }, 2000);
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

for (const place of document.querySelectorAll("[data-delivery]")) {
  const ask = async () => {
    const answer = await fetch(place.dataset.delivery, { headers: { accept: "application/json" } });
    const said = answer.ok ? place.dataset[(await answer.json()).delivery] : undefined;
    if (!said) return;
    // The address keeps its own direction.
    const whose = place.querySelector("bdi");
    const [before, after] = said.split(whose.textContent);
    const line = document.createElement("span");
    line.append(before, whose, after);
    place.className = "notice warn";
    place.replaceChildren(line);
  };
  // Whether a message was accepted is known a moment later; the tries of a slow server go on for minutes.
  for (const seconds of [3, 10, 30, 120]) setTimeout(() => ask().catch(() => {}), seconds * 1000);
}

const shapes = {
  moment: { dateStyle: "long", timeStyle: "short" },
  date: { dateStyle: "long" },
  clock: { timeStyle: "short" },
};
// The browser's own kind of the page's language: en-GB and en-US write a day in two ways.
const locale = navigator.languages.find((tag) => tag.split("-")[0] === document.documentElement.lang) ?? document.documentElement.lang;
for (const time of document.querySelectorAll("time[data-shape]")) {
  time.textContent = new Intl.DateTimeFormat(locale, shapes[time.dataset.shape]).format(new Date(time.dateTime));
}
