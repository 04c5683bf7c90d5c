// What has to stand before the libraries: MathJax reads its settings when it starts, and colors must not flash.

window.MathJax = {
  tex: { inlineMath: [["$", "$"]], displayMath: [["$$", "$$"]], processEscapes: true },
  svg: { fontCache: "local" },
  options: { enableMenu: false },
  startup: { typeset: false },
};

// Explorers look at data-theme (rflib/widgets/common.css). Key D changes it; the choice is kept for the other decks.
window.deckTheme = {
  current() {
    let kept = null;
    try {
      kept = localStorage.getItem("rflib-slides-theme");
    } catch {
      // A browser may refuse storage to a file; then the system's setting holds.
    }
    return kept ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  },
  show(theme) {
    document.documentElement.dataset.theme = theme;
  },
  toggle() {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    this.show(next);
    try {
      localStorage.setItem("rflib-slides-theme", next);
    } catch {
      // As above: it then holds until the page is loaded again.
    }
  },
};
window.deckTheme.show(window.deckTheme.current());
