// A formula wider than the page scrolls, and what scrolls can be reached by the tab key.

const formulas = () => document.querySelectorAll("div.math");

function mark() {
  for (const formula of formulas()) {
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    else formula.removeAttribute("tabindex");
  }
}

addEventListener("load", async () => {
  await globalThis.MathJax?.startup?.promise;
  const watch = new ResizeObserver(mark);
  for (const formula of formulas()) watch.observe(formula);
});
