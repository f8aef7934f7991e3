// Photos one after the other, labelled by keyboard; the server saves each label and says which photo helps most next.

const element = id => document.getElementById(id);
const Numbered = 9;

let state = { classes: [], next: [], labelled: 0, total: 0, curve: [] };
let waiting = 0;
let sending = Promise.resolve();

const current = () => state.next[0];

/** The classes that the typed text leaves, the likely ones first. */
function offered() {
    const typed = element("filter").value.trim().toLowerCase();
    const fitting = state.classes.filter(c => c.toLowerCase().includes(typed));
    const likely = (current()?.likely ?? []).filter(c => fitting.includes(c));
    return [...likely, ...fitting.filter(c => !likely.includes(c))];
}

/** The class that Enter takes: an exact or only match, else what was typed as a new class. */
function chosen() {
    const typed = element("filter").value.trim();
    const fitting = offered();
    if (typed === "") {
        return current()?.suggested ?? null;
    }

    return fitting.find(c => c.toLowerCase() === typed.toLowerCase()) ?? (fitting.length === 1 ? fitting[0] : typed);
}

function show() {
    const photo = current();
    element("progress").textContent = `${state.labelled} of ${state.total} photos have a label.` + (photo || waiting > 0 ? "" : " All are done.");
    element("photo").hidden = !photo;
    if (photo) {
        const address = `/label/photo?id=${photo.id}`;
        if (!element("photo").src.endsWith(address)) {
            element("photo").src = address;
        }

        element("photo").alt = photo.name;
        element("name").textContent = photo.name + (photo.suggested ? ` · looks like ${photo.suggested} (${Math.round(100 * photo.probability)} %)` : "");
        // The one after it is fetched while this one is looked at.
        if (state.next[1]) {
            new Image().src = `/label/photo?id=${state.next[1].id}`;
        }
    } else {
        element("name").textContent = "";
    }

    showClasses();
    element("undo").disabled = !state.last;
    element("undo").title = state.last ? `Take back ${state.last}` : "";
    showCurve();
}

function showClasses() {
    const marked = chosen();
    element("classes").replaceChildren(...offered().map((name, i) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "button";
        button.textContent = i < Numbered ? `${i + 1} ${name}` : name;
        button.setAttribute("aria-pressed", String(name === marked));
        button.addEventListener("click", () => answer(name));
        return button;
    }));
}

function shape(kind, attributes, text) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, value] of Object.entries(attributes)) {
        node.setAttribute(name, value);
    }

    node.textContent = text ?? "";
    return node;
}

function showCurve() {
    const { curve, forecast } = state;
    if (!forecast) {
        return;
    }

    const percent = value => `${(100 * value).toFixed(1)} %`;
    element("forecast").textContent = `With ${forecast.labels} labels ${percent(forecast.accuracy)} of held-out photos are named right; ${forecast.more} more are expected to bring ${percent(forecast.expected)}.`;
    const last = forecast.labels + forecast.more;
    const x = labels => 44 + 580 * labels / last;
    const y = accuracy => 176 - 160 * accuracy;
    const nodes = [0, 0.5, 1].flatMap(a => [shape("line", { x1: 44, x2: 624, y1: y(a), y2: y(a) }), shape("text", { x: 38, y: y(a) + 4, "text-anchor": "end" }, `${100 * a} %`)]);
    nodes.push(shape("polyline", { points: curve.map(p => `${x(p.labels)},${y(p.accuracy)}`).join(" ") }));
    nodes.push(shape("polyline", { class: "expected", points: `${x(forecast.labels)},${y(forecast.accuracy)} ${x(last)},${y(forecast.expected)}` }));
    nodes.push(...curve.map(p => shape("circle", { cx: x(p.labels), cy: y(p.accuracy), r: 4 })));
    nodes.push(shape("text", { x: x(forecast.labels), y: 196, "text-anchor": "middle" }, String(forecast.labels)), shape("text", { x: 624, y: 196, "text-anchor": "end" }, String(last)));
    element("curve").replaceChildren(...nodes);
}

/** Sends one change after the other; the page has moved on already, and takes over what the server says once all are answered. */
function send(path, body, undone) {
    waiting++;
    sending = sending.then(async () => {
        try {
            const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
            const answer = await response.json();
            waiting--;
            if (response.ok) {
                element("message").textContent = "";
                if (waiting === 0) {
                    takeOver(answer, path === "/label/undo");
                }
            } else {
                fail(answer.error ?? `The server answered ${response.status}.`, undone);
            }
        } catch {
            waiting--;
            fail("The server does not answer; the label was not saved. Start 'vizsla label' again and reload.", undone);
        }
    });
}

function fail(message, undone) {
    element("message").textContent = message;
    if (undone) {
        state.next.unshift(undone);
        show();
    }
}

/** The photo in front of the reader stays, unless another one is asked for. */
function takeOver(newer, asksFirst) {
    const shown = current();
    state = newer;
    if (!asksFirst && shown && state.next[0]?.id !== shown.id) {
        state.next = [state.next.find(p => p.id === shown.id) ?? shown, ...state.next.filter(p => p.id !== shown.id)];
    }

    show();
}

function advance(label) {
    const photo = current();
    if (photo) {
        state.next.shift();
        if (label) {
            state.labelled++;
            state.last = `${photo.name}: ${label}`;
            if (!state.classes.includes(label)) {
                state.classes.push(label);
            }
        }

        element("filter").value = "";
        send("/label/answer", { id: photo.id, label }, photo);
        show();
        element("filter").focus();
    }
}

const answer = label => label && advance(label);
const skip = () => advance(null);

function undo() {
    send("/label/undo", {});
    element("filter").focus();
}

element("filter").addEventListener("input", showClasses);
element("skip").addEventListener("click", skip);
element("undo").addEventListener("click", undo);
element("filter").addEventListener("keydown", event => {
    const empty = event.target.value === "";
    if (event.key === "Enter") {
        event.preventDefault();
        answer(chosen());
    } else if (event.key === "Tab" && !event.shiftKey && empty && current()) {
        event.preventDefault();
        skip();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey) && empty) {
        event.preventDefault();
        undo();
    } else if (empty && event.key >= "1" && event.key <= String(Numbered) && !event.ctrlKey && !event.altKey && !event.metaKey) {
        const name = offered()[Number(event.key) - 1];
        if (name) {
            event.preventDefault();
            answer(name);
        }
    }
});

state = await (await fetch("/label/state")).json();
show();
element("filter").focus();

// What was learnt meanwhile: the order of the photos and the curve.
setInterval(async () => {
    if (waiting === 0 && element("filter").value === "" && document.visibilityState === "visible") {
        const newer = await fetch("/label/state").then(r => r.json()).catch(() => null);
        if (newer && waiting === 0 && element("filter").value === "" && newer.labelled === state.labelled) {
            takeOver(newer, false);
        }
    }
}, 2000);
