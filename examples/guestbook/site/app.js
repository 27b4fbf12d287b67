// The page's only script: reads entries from the API, and posts new ones to it.

const form = document.querySelector("#form");
const list = document.querySelector("#entries");
const status = document.querySelector("#status");
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// The deployment puts the stack's outputs beside the pages.
const { ApiUrl } = await (await fetch("config.json", { cache: "no-store" })).json();
const entriesUrl = new URL(`${ApiUrl}/entries`);
// Site and API are served at one port, and a restart may have moved both.
entriesUrl.port = location.port;

async function call(options) {
  const response = await fetch(entriesUrl, options);
  const body = await response.json();
  if (!response.ok) throw new Error(body.message ?? response.statusText);
  return body;
}

function item({ name, message, at }) {
  const entry = document.createElement("li");
  entry.className = "entry";
  const text = document.createElement("p");
  text.textContent = message;
  const who = document.createElement("cite");
  who.textContent = name;
  const when = document.createElement("time");
  when.dateTime = at.split("#")[0];
  when.textContent = dates.format(new Date(when.dateTime));
  const foot = document.createElement("footer");
  foot.append(who, when);
  entry.append(text, foot);
  return entry;
}

async function show() {
  const { entries } = await call();
  list.replaceChildren(...entries.map(item));
  document.querySelector("#empty").hidden = entries.length > 0;
}

function tell(text, bad = false) {
  status.textContent = text;
  status.classList.toggle("bad", bad);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  tell("Signing…");
  try {
    const body = JSON.stringify(Object.fromEntries(new FormData(form)));
    await call({ method: "POST", headers: { "Content-Type": "application/json" }, body });
    form.reset();
    tell("Thank you!");
    await show();
  } catch (error) {
    tell(error.message, true);
  } finally {
    button.disabled = false;
  }
});

show().catch((error) => tell(`The guestbook cannot be read: ${error.message}`, true));
