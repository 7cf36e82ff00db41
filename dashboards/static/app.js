// What pages do beyond links and forms. Everything works without it.
"use strict";
(() => {
  const REFRESH_MS = 60000;

  // A page marked data-refresh is asked again each minute: not while it is hidden, and not while
  // somebody reads a table or uses a field of it. The header keeps such asking from holding a
  // session open.
  const main = document.getElementById("main");
  const busy = () => document.hidden || main.querySelector("details[open]")
    || main.contains(document.activeElement);
  const refresh = async () => {
    if (busy()) return;
    const answer = await fetch(window.location.href, { headers: { "X-Keqing-Poll": "1" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["#main", ".top", ".nav", ".tabs"]) {
      document.querySelector(part).replaceChildren(...fresh.querySelector(part).childNodes);
    }
    listen();
    document.dispatchEvent(new Event("keqing:refreshed"));
  };
  if (main?.querySelector("[data-refresh]")) {
    window.setInterval(() => refresh().catch(() => {}), REFRESH_MS);
  }

  // A changed select asks at once; the button stays for those without script.
  const filters = (form) => {
    form.addEventListener("change", (event) => {
      if (event.target.tagName === "SELECT") form.requestSubmit();
    });
    // Empty fields stay out of the address, so that a shared link stays short.
    form.addEventListener("formdata", (event) => {
      for (const [key, value] of [...event.formData]) if (value === "") event.formData.delete(key);
    });
  };
  // An act is sent once, however often its button is pressed.
  const once = (form) => form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  const listen = () => {
    document.querySelectorAll("form.filters").forEach(filters);
    document.querySelectorAll("form[method=post]").forEach(once);
  };
  listen();
  // `/` goes to the query box, unless somebody is typing.
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.isComposing;
    const box = document.getElementById("q");
    if (event.key === "/" && box && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      box.focus();
    }
  });
})();
