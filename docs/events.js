// The table of events.

import { ask, Failure } from './services.js';
import { bytes, element, make } from './text.js';

/** How many events are shown. */
const LIMIT = 12;

const table = element('events');
const note = element('events-note');
const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'medium' });

let asked = 0;
let newest = Infinity; // The highest number that has been seen; nothing is new at first.
let source; // The events that come by themselves.

/** Reads the newest events from the service at `address`, and shows them, and from then on all that follow. */
export async function refresh(address) {
  const turn = ++asked;
  source?.close();
  let events;
  let failure;
  try {
    events = (await (await ask(address, `/events?limit=${LIMIT}`)).json()).reverse();
  } catch (error) {
    failure = error;
  }
  if (turn !== asked) return; // A later refresh has overtaken this one.
  if (failure) {
    note.textContent = failure instanceof Failure ? failure.message : `The answer of ${address} cannot be understood.`;
    note.hidden = false;
    return;
  }
  show(events);
  source = new EventSource(`${address}/events/live?after=${newest}`);
  source.onmessage = ({ data }) => add(JSON.parse(data));
}

function show(events) {
  table.tBodies[0].replaceChildren(...events.map(row));
  newest = events[0]?.id ?? 0;
  tell();
}

/** Adds an event on top, unless it is shown already. */
function add(event) {
  if (event.id <= newest) return;
  const rows = table.tBodies[0];
  rows.prepend(row(event));
  while (rows.rows.length > LIMIT) rows.deleteRow(LIMIT);
  newest = event.id;
  tell();
}

/** Shows either the table or that there is nothing in it. */
function tell() {
  table.hidden = table.tBodies[0].rows.length === 0;
  note.textContent = table.hidden ? 'No events yet.' : '';
  note.hidden = !table.hidden;
}

function row(event) {
  const when = make('time', time.format(event.event_ts));
  when.dateTime = new Date(event.event_ts).toISOString();
  const cells = [event.id, when, event.op_type, bytes(event.input_size)].map((content) => {
    const cell = make('td');
    cell.append(content);
    return cell;
  });
  const made = make('tr', '', event.id > newest ? 'new' : '');
  made.append(...cells);
  return made;
}
