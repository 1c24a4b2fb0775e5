// Follows a job: rows and the summary come as they are shown, so there is one way to show them.
"use strict";
const list = document.getElementById("history");
const summary = document.getElementById("summary");
const earlier = document.getElementById("earlier");
const lines = document.getElementById("lines");

// Rows that stay; those before them are on other pages.
const MOST = 3000;
// Milliseconds for which rows are collected: a page is laid out once for all of them.
const PAUSE = 40;

const isAtEnd = () =>
  window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 48;

// Where the next row of this kind belongs.
function placeOf(entry) {
  if (entry.kind !== "line") return list;
  let last = list.lastElementChild;
  if (last?.dataset.step !== entry.step) {
    list.append(lines.content.cloneNode(true));
    last = list.lastElementChild;
    last.dataset.step = entry.step;
    last.querySelector("summary .verb").textContent = entry.step;
  }
  return last.querySelector("ol");
}

function show(entry) {
  const place = placeOf(entry);
  place.insertAdjacentHTML("beforeend", entry.html);
  if (place !== list) countOf(place);
}

function countOf(place) {
  place.parentElement.querySelector(".count").textContent = place.childElementCount;
}

// Takes the oldest rows away when there are too many.
function forget() {
  const rows = list.querySelectorAll("li[id]");
  if (rows.length <= MOST) return;
  for (const row of [...rows].slice(0, rows.length - MOST)) {
    const place = row.parentElement;
    row.remove();
    if (place === list) continue;
    if (place.childElementCount === 0) place.closest(".lines").remove();
    else countOf(place);
  }
  const first = list.querySelector("li[id]").id.slice(1);
  const link = earlier.querySelector("a");
  link.href = link.pathname + "?before=" + first;
  earlier.hidden = false;
}

if (list.dataset.follow) {
  const source = new EventSource(list.dataset.follow);
  let waiting = [];
  let seen = 0;

  const flush = () => {
    const wasAtEnd = isAtEnd();
    for (const entry of waiting) show(entry);
    waiting = [];
    if (!wasAtEnd) return;
    // Who reads further up keeps what is there.
    forget();
    window.scrollTo(0, document.documentElement.scrollHeight);
  };

  source.addEventListener("message", (event) => {
    const entry = JSON.parse(event.data);
    if (entry.seq <= seen || document.getElementById("e" + entry.seq)) return;
    seen = entry.seq;
    if (waiting.push(entry) === 1) setTimeout(flush, PAUSE);
  });

  source.addEventListener("job", (event) => {
    const job = JSON.parse(event.data);
    summary.innerHTML = job.html;
    list.className = job.state;
    document.title = job.title;
    if (job.ended) {
      source.close();
      document.getElementById("cancel")?.remove();
    }
  });

  source.addEventListener("error", () => {
    // While it is only interrupted, the browser connects again by itself.
    if (source.readyState === EventSource.CLOSED) reloadWhenThere();
  });
}

async function reloadWhenThere() {
  try {
    const page = await fetch(location.href);
    if (page.ok) return location.reload();
  } catch {
    // The server is away; ask again.
  }
  setTimeout(reloadWhenThere, 3000);
}
