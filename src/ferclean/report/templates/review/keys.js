// Everything by one key; in fields, menus and the dialog keys keep their usual meaning.
const COMMANDS = {
  a: () => decide("accept"),
  k: () => decide("keep"),
  m: () => decide("ambiguous"),
  x: () => decide("not_a_face"),
  u: takeBack,
  n: () => move(1),
  p: () => move(-1),
  "/": () => {
    find("filters").open = true;
    form.elements.text.focus();
  },
  "?": () => find("keys").showModal(),
};
const MOVES = {
  ArrowRight: () => move(1),
  ArrowLeft: () => move(-1),
  ArrowDown: () => move(across),
  ArrowUp: () => move(-across),
  PageDown: () => move(across * Math.max(1, Math.floor(sight.height / CELL.height))),
  PageUp: () => move(-across * Math.max(1, Math.floor(sight.height / CELL.height))),
  Home: () => go(0),
  End: () => go(view.rows.length - 1),
  Enter: () => decide("accept"),
  Delete: () => decide("clear"),
};

function commandOf(event) {
  if (event.altKey || find("keys").open) return null;
  const { target } = event;
  const writing = target.matches("select, textarea, input:not([type=checkbox])");
  if (writing) return event.key === "Escape" ? () => list.focus() : null;
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === "z" ? takeBack : null;
  if (event.key === "Enter" && target.matches("button, summary, a")) return null;
  if (MOVES[event.key]) return MOVES[event.key];
  if (!find("use-keys").checked) return null;
  const key = event.key.toLowerCase();
  if (COMMANDS[key]) return COMMANDS[key];
  return classOfKey.has(key) ? () => decide("label", classOfKey.get(key)) : null;
}

document.addEventListener("keydown", (event) => {
  const command = commandOf(event);
  if (!command) return;
  event.preventDefault();
  command();
});
