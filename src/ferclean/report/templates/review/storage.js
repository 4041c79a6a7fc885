// Where decisions are kept: the review file where `ferclean review` serves the page, else this
// browser, an entry a decision, until they are exported.
const STORE = `ferclean-review ${location.pathname} `;
const NAME = "ferclean-reviewer";
const SERVED = location.protocol.startsWith("http");
const waiting = new Map();
let file = null, sending = false, kept = true;

const say = (text, bad) => {
  find("status").textContent = text;
  find("status").classList.toggle("bad", Boolean(bad));
};

function keepInBrowser(key, value) {
  try {
    localStorage.setItem(key, value);
    kept = true;
  } catch {
    kept = false;
  }
}

// Where the page is served, the name that the server was started with goes before older ones.
function nameStore() {
  return SERVED ? sessionStorage : localStorage;
}

function nameFromBrowser() {
  try {
    return nameStore().getItem(NAME) || "";
  } catch {
    return "";
  }
}

function keepName() {
  try {
    nameStore().setItem(NAME, reviewer);
  } catch {
    // It is written once more next time.
  }
}

function loadFromBrowser() {
  const entries = [];
  try {
    for (let k = 0; k < localStorage.length; k += 1) {
      const key = localStorage.key(k);
      if (key.startsWith(STORE)) entries.push([key.slice(STORE.length), JSON.parse(localStorage.getItem(key))]);
    }
  } catch {
    kept = false;
  }
  change(entries.filter(([, value]) => value === null || faultOf(value) === null), "load");
  tell();
}

async function load() {
  change(page.decisions.map((each) => [each.sample_id, each]), "load");
  reviewer = nameFromBrowser();
  if (SERVED) {
    try {
      const answer = await fetch("decisions", { cache: "no-store" });
      if (answer.ok) {
        const found = await answer.json();
        file = found.file;
        reviewer = reviewer || found.reviewer;
        change([...decisions.keys()].map((id) => [id, null]), "load");
        change(found.decisions.map((each) => [each.sample_id, each]), "load");
        tell();
        return;
      }
    } catch {
      // Served by something else than ferclean: the browser keeps the decisions.
    }
  }
  loadFromBrowser();
}

function tell(trouble) {
  if (trouble) say(trouble, true);
  else if (file) say(waiting.size ? `Saving to ${file} …` : `Saved to ${file}`);
  else if (kept) say("Kept in this browser: export them when you are done");
  else say("This browser keeps nothing: export your decisions before you close the page", true);
}

function save(entries) {
  if (!file) {
    entries.forEach(([id, value]) => keepInBrowser(STORE + id, JSON.stringify(value)));
    tell();
    return;
  }
  entries.forEach(([id, value]) => waiting.set(id, value));
  tell();
  send();
}

async function send() {
  if (sending || !waiting.size) return;
  sending = true;
  const batch = [...waiting];
  let trouble = null;
  try {
    const body = {
      decisions: batch.filter(([, value]) => value).map(([, value]) => value),
      cleared: batch.filter(([, value]) => !value).map(([id]) => id),
    };
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("decisions", { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) trouble = `Not saved: ${await answer.text()}`;
    else batch.forEach(([id, value]) => waiting.get(id) === value && waiting.delete(id));
  } catch {
    trouble = "Not saved: ferclean review does not answer; start it again, or export";
  }
  sending = false;
  tell(trouble);
  if (waiting.size) setTimeout(send, trouble ? 2000 : 0);
}

listeners.push((entries, source) => source !== "load" && save(entries));
addEventListener("beforeunload", (event) => {
  if (waiting.size || !kept) event.preventDefault();
});

function exportCsv() {
  const link = make("a", { download: "review.csv" });
  link.href = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// Of two decisions about a sample the later one stays.
async function importCsv(chosen) {
  try {
    const found = fromCsv(await chosen.text());
    const later = found.filter((each) => {
      const mine = decisions.get(each.sample_id);
      return !mine || Date.parse(each.time) > Date.parse(mine.time);
    });
    if (later.length) change(later.map((each) => [each.sample_id, each]), "import");
    say(`${chosen.name}: ${found.length} decisions read, ${later.length} new or later`);
  } catch (error) {
    say(`${chosen.name} was not read: ${error.message}`, true);
  }
}
