// What every page gains where scripts run: moments in the reader's own zone, copy buttons, the folded menu.

const WIDE = matchMedia("(min-width: 56rem)");

function foldNavigation() {
  const navigation = document.getElementById("navigation");
  if (!navigation) return;
  const fold = () => {
    navigation.open = WIDE.matches;
  };
  fold();
  WIDE.addEventListener("change", fold);
}

function showLocalTimes() {
  const written = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
  for (const each of document.querySelectorAll("time[data-local]")) {
    const moment = new Date(each.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    each.title = each.textContent;
    each.textContent = written.format(moment);
  }
  for (const each of document.querySelectorAll("[data-zone]")) {
    each.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

function offerCopying() {
  // Browsers copy only on https and on this machine itself.
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copies);
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      button.textContent = button.dataset.copied;
    });
  }
}

// Where there is little room, each row of a table stands as a card: its cells say which column they are of.
function labelCells() {
  for (const table of document.querySelectorAll("table")) {
    const heads = [...table.querySelectorAll("thead th")].map((each) => each.textContent);
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.children].forEach((cell, index) => {
        cell.dataset.label = heads[index] ?? "";
      });
    }
  }
}

function focusOnProblems() {
  document.getElementById("problems")?.focus();
}

foldNavigation();
showLocalTimes();
offerCopying();
labelCells();
focusOnProblems();
