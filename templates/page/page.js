"use strict";
const input = document.getElementById("search");
const found = document.getElementById("found");
const entries = Array.from(document.querySelectorAll("article"), (article) => ({
  article,
  link: document.querySelector(`nav li[data-for="${CSS.escape(article.id)}"]`),
  text: article.textContent.toLowerCase(),
}));

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { article, link, text } of entries) {
    const fits = words.every((word) => text.includes(word));
    article.hidden = link.hidden = !fits;
    count += fits;
  }
  for (const section of document.querySelectorAll("main section")) {
    section.hidden = !section.querySelector("article:not([hidden])");
  }
  found.textContent = words.length ? `${count} found` : "";
}

input.parentElement.hidden = false;
input.addEventListener("input", search);
window.addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.hidden) {
    input.value = "";
    search();
    target.scrollIntoView();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault();
    input.focus();
  }
});

const button = document.getElementById("theme");
const root = document.documentElement;
const isDark = () =>
  (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
function choose(theme) {
  if (theme) root.dataset.theme = theme;
  button.textContent = isDark() ? "Light" : "Dark";
}
let kept = null;
try { kept = localStorage.getItem("eventgen-theme"); } catch { /* kept for this visit alone */ }
choose(kept);
button.hidden = false;
button.addEventListener("click", () => {
  choose(isDark() ? "light" : "dark");
  try { localStorage.setItem("eventgen-theme", root.dataset.theme); } catch { /* as above */ }
});
