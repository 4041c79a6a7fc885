"use strict";
// Without this script every run is shown below the other; with it, one at a time.
const panels = [...document.querySelectorAll(".panel")];
const tabs = [...document.querySelectorAll(".tabs button")];

function show(id) {
  panels.forEach((panel) => { panel.hidden = panel.id !== id; });
  tabs.forEach((tab) => {
    const chosen = tab.getAttribute("aria-controls") === id;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  });
}

function followAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (panels.some((panel) => panel.id === id)) {
    show(id);
    document.getElementById(id).scrollIntoView();
  }
}

tabs.forEach((tab, index) => {
  tab.addEventListener("click", () => show(tab.getAttribute("aria-controls")));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(index + step + tabs.length) % tabs.length];
    next.click();
    next.focus();
  });
});

document.querySelectorAll(".filter").forEach((form) => {
  form.addEventListener("change", () => {
    const wanted = [...form.querySelectorAll("select")].filter((select) => select.value);
    form.nextElementSibling.querySelectorAll("figure").forEach((card) => {
      card.hidden = wanted.some((select) => card.dataset[select.dataset.filter] !== select.value);
    });
  });
});

const firstMethod = panels.find((panel) => !panel.querySelector(".run-name .tag")) || panels[0];
if (firstMethod) show(firstMethod.id);
followAddress();
window.addEventListener("hashchange", followAddress);
