"use strict";
{
  // How many rows are laid out at once: ten thousand take seconds.
  const STEP = 250;

  const table = document.querySelector("table");

  if (table) {
    const filter = document.querySelector("#filter");
    const more = document.querySelector("#more");
    const said = filter.querySelector("output");
    const headings = Array.from(table.tHead.rows[0].cells);
    const [body, rest] = table.tBodies;
    const rows = Array.from(table.tBodies).flatMap((part) => Array.from(part.rows));
    rest?.remove();

    // Read once: asking every cell again for every key would be felt.
    const states = new Map(rows.map((row) => [row, row.cells[0].textContent.trim()]));
    const names = new Map(rows.map((row) => [row, `${row.cells[1].textContent}\n${row.cells[2].textContent}`.toLowerCase()]));
    const grouped = (number) => number.toLocaleString("en");

    let order = rows;
    let limit = STEP;

    const show = () => {
      const part = filter.elements.text.value.trim().toLowerCase();
      const state = filter.elements.state.value;
      const found = order.filter((row) => names.get(row).includes(part) && (!state || states.get(row) === state));
      body.replaceChildren(...found.slice(0, limit));
      more.hidden = found.length <= limit;
      said.value = `${grouped(Math.min(limit, found.length))} of ${grouped(found.length)} shown`
        + (found.length < rows.length ? `, of ${grouped(rows.length)} in all` : "");
    };

    // BigInt, because a Number takes 9223372036854775807 for 9223372036854775808.
    const number = (text) => (/[0-9]/.test(text) ? BigInt(text.replace(/[^0-9-]/g, "")) : null);
    const collator = new Intl.Collator("en", { numeric: true });

    const sort = (column, descending) => {
      const isNumber = headings[column].classList.contains("n");
      const keys = new Map(rows.map((row) => {
        const text = row.cells[column].textContent;
        return [row, isNumber ? number(text) : text];
      }));
      order = rows.slice().sort((one, other) => {
        const a = keys.get(one), b = keys.get(other);
        // What has no number stays at the end, whichever way round.
        if (a === null || b === null) return (a === null) - (b === null);
        const order = isNumber ? (a > b) - (a < b) : collator.compare(a, b);
        return descending ? -order : order;
      });
      headings.forEach((heading, index) => {
        heading.setAttribute("aria-sort", index !== column ? "none" : descending ? "descending" : "ascending");
      });
      show();
    };

    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      heading.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(column, heading.getAttribute("aria-sort") === "ascending"));
    });
    filter.addEventListener("input", () => {
      limit = STEP;
      show();
    });
    filter.addEventListener("submit", (event) => event.preventDefault());
    more.addEventListener("click", () => {
      limit += STEP;
      show();
    });
    filter.hidden = false;
    show();
  }

  if (navigator.clipboard) {
    for (const button of document.querySelectorAll(".copy")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.previousElementSibling.textContent);
        button.textContent = "Copied";
      });
    }
  }
}
