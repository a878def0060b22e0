"use strict";
// Words without marks and case, so that "lua" finds "Lúa".
const bare = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
const said = number => number.toLocaleString(document.documentElement.lang);
const form = document.querySelector("form[data-search]");
if (form) {
  const cards = [...document.querySelectorAll("[data-text]")];
  const found = document.querySelector("[data-found]");
  const [words, theme] = [form.elements.words, form.elements.theme];
  const show = () => {
    const asked = bare(words.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const card of cards) {
      const text = bare(card.dataset.text);
      const here = asked.every(word => text.includes(word)) && (!theme.value || card.dataset.theme === theme.value);
      card.hidden = !here;
      count += here;
    }
    found.textContent = found.dataset.found.replace("{}", said(count));
  };
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", event => event.preventDefault());
  show();
}
// What was due on a day that has passed.
for (const due of document.querySelectorAll("[data-due]")) {
  const days = Math.floor((Date.now() - new Date(`${due.dataset.due}T00:00:00`)) / 86400000);
  if (days > 0) {
    due.textContent = due.dataset.late.replace("{}", said(days));
    due.className = "late";
  }
}
