// The page: follows the gateway's events and shows what they say.

import { startClassifying, offerModels } from "./classify.js";
import { byId, say } from "./elements.js";
import { showFigures } from "./figures.js";
import { showFronts, showRequests, shownLastCut, startFront } from "./front.js";
import { follow, useToken } from "./stream.js";
import { showTables } from "./tables.js";
import { showTime, startTime } from "./time.js";
import { clock, count, several } from "./words.js";

/** Requests that the page keeps: those of two minutes at 12 a second; at more the charts of single requests span less. */
const GREATEST_KNOWN = 1500;

let known = [];
let last = 0;
let state = null;
let lost = 0;

const on = {
  fronts(list) {
    showFronts(list);
  },
  state(now) {
    state = now;
    showFigures(now);
    showTables(now);
    offerModels([...new Set(now.instances.filter(one => one.service === "edge-executor").flatMap(one => one.models))].sort());
    showRequests(known, [], now.at);
    showTime(now, known, shownLastCut());
    const behind = lost ? `; this page was too slow for ${several(lost, "event")}` : "";
    say(byId("since"), `Totals since ${clock(now.since)}${behind}.`);
    document.title = title(now);
  },
  requests({ requests }) {
    const fresh = requests.filter(request => request.number > last);
    if (!fresh.length) return;
    const isFirst = last === 0;
    last = fresh.at(-1).number;
    known = [...known, ...fresh].slice(-GREATEST_KNOWN);
    // What happened before the page was opened does not light up.
    showRequests(known, isFirst ? [] : fresh, Math.max(state?.at ?? 0, fresh.at(-1).at));
  },
  lost({ events }) {
    lost += events;
  },
};

function title({ minute: { counts } }) {
  const all = counts.within + counts.late + counts.failed;
  return all ? `${count(100 * counts.within / all)} % within · Splinter` : "Splinter";
}

function showStatus(name, text) {
  byId("status").dataset.state = name;
  say(byId("status-text"), text);
  if (name !== "live") return;
  // A gateway that started anew counts anew: its first events say all that it knows.
  [known, last] = [[], 0];
}

/** Asks for a token; resolves when there is one to try. */
function askForToken(wasWrong) {
  const dialog = byId("token-dialog");
  if (wasWrong) say(byId("token-problem"), "The gateway does not know that token.");
  byId("token").value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise(done => dialog.addEventListener("close", () => {
    if (byId("token").value) useToken(byId("token").value.trim());
    byId("token").value = "";
    done();
  }, { once: true }));
}

startFront();
startTime();
startClassifying(() => askForToken(true));
follow({ onEvent: (name, data) => on[name]?.(data), onStatus: showStatus, onToken: askForToken });
