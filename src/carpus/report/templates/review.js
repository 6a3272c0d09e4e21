// Layers, a filter, and the list of films to leave out, which the browser keeps until the page's dataset is another.
const cards = Array.from(document.querySelectorAll("article"));
const button = document.querySelector(".tools button");
const place = "carpus-review-" + button.dataset.dataset;
const boxOf = card => card.querySelector(".out input");
const leftOut = () => cards.filter(card => boxOf(card).checked).map(card => card.dataset.film);
const kept = () => { try { return JSON.parse(localStorage.getItem(place)) || []; } catch { return []; } };
const update = () => {
  cards.forEach(card => card.classList.toggle("left-out", boxOf(card).checked));
  button.querySelector("output").value = leftOut().length;
  try { localStorage.setItem(place, JSON.stringify(leftOut())); } catch { /* a page from a file may not keep anything */ }
};
const before = new Set(kept());
for (const card of cards) {
  boxOf(card).checked = before.has(card.dataset.film);
  boxOf(card).addEventListener("change", update);
}
for (const input of document.querySelectorAll("[data-layer]"))
  input.addEventListener("change", () => document.body.classList.toggle(input.dataset.layer, input.checked));
document.querySelector(".tools select").addEventListener("change", event =>
  cards.forEach(card => { card.hidden = event.target.value !== "" && !card.classList.contains(event.target.value); }));
button.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([leftOut().map(film => film + "\n").join("")], { type: "text/plain" }));
  link.download = "exclude.txt";
  link.click();
});
update();
