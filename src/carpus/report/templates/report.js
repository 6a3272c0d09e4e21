// A click on a heading, or Enter or the space bar on it, sorts the rows by that column; once more turns them round. Undefined comes last.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = Array.from(table.tHead.rows[table.tHead.rows.length - 1].cells);
  headings.forEach((heading, column) => {
    const key = row => {
      const cell = row.cells[column];
      if (!cell.classList.contains("start") && cell.tagName === "TD")
        return "value" in cell.dataset ? Number(cell.dataset.value.replace("inf", "Infinity")) : null;
      return cell.textContent.trim().toLowerCase();
    };
    const sort = () => {
      const turn = heading.getAttribute("aria-sort") === "descending" ? 1 : -1;
      headings.forEach(other => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", turn === 1 ? "ascending" : "descending");
      const rows = Array.from(table.tBodies[0].rows).map(row => [key(row), row]);
      rows.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null) : turn * ((a > b) - (a < b)));
      table.tBodies[0].append(...rows.map(([, row]) => row));
    };
    heading.tabIndex = 0;
    heading.title = "Sort by this column";
    heading.addEventListener("click", sort);
    heading.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort();
    });
  });
}
