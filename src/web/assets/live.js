// Follows a job: rows and the summary come as they are shown, so there is one way to show them.
"use strict";
const list = document.getElementById("history");
const summary = document.getElementById("summary");

const isAtEnd = () =>
  window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 48;

if (list.dataset.follow) {
  const source = new EventSource(list.dataset.follow);

  source.addEventListener("message", (event) => {
    const entry = JSON.parse(event.data);
    if (document.getElementById("e" + entry.seq)) return;
    const wasAtEnd = isAtEnd();
    list.insertAdjacentHTML("beforeend", entry.html);
    if (wasAtEnd) window.scrollTo(0, document.documentElement.scrollHeight);
  });

  source.addEventListener("job", (event) => {
    const job = JSON.parse(event.data);
    summary.innerHTML = job.html;
    list.className = job.state;
    document.title = job.title;
    if (job.ended) source.close();
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
