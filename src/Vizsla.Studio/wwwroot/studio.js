// What the pages need of the browser itself; everything else is decided on the server.

const darkKey = "vizsla-dark";
let plotly;
let addressTimer;

export function isDark() {
    const kept = localStorage.getItem(darkKey);
    return kept === null ? matchMedia("(prefers-color-scheme: dark)").matches : kept === "true";
}

export function rememberDark(dark) {
    localStorage.setItem(darkKey, dark);
}

export function replaceAddress(address) {
    // A moving slider changes the address many times a second; browsers allow a few.
    clearTimeout(addressTimer);
    addressTimer = setTimeout(() => {
        if (new URL(address, location.href).pathname === location.pathname) {
            history.replaceState(history.state, "", address);
        }
    }, 250);
}

export async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        return false;
    }
}

export function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function loadPlotly() {
    plotly ??= new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = "/_content/Vizsla.Studio/plotly-basic.min.js";
        script.onload = () => resolve(window.Plotly);
        script.onerror = reject;
        document.head.append(script);
    });
    return plotly;
}

export async function draw(element, figure) {
    const library = await loadPlotly();
    if (!element?.isConnected) {
        return;
    }

    const { data, layout } = JSON.parse(figure);
    element.figure = { data, layout };
    await library.react(element, data, layout, chartOptions);
    element.dataset.drawn = String(Number(element.dataset.drawn ?? 0) + 1);
}

const chartOptions = { responsive: true, displaylogo: false, displayModeBar: false };

export async function resetZoom(element) {
    // Another revision forgets what was zoomed.
    const { data, layout } = element.figure;
    await (await loadPlotly()).react(element, data, { ...layout, uirevision: String(Math.random()) }, chartOptions);
}

export async function saveChart(element, name) {
    const style = getComputedStyle(element.closest(".panel") ?? element);
    const { data, layout } = element.figure;
    await (await loadPlotly()).downloadImage({ data, layout: { ...layout, paper_bgcolor: style.backgroundColor } },
        { format: "png", filename: name, width: element.clientWidth, height: element.clientHeight, scale: 2 });
}

export function openDialog(element) {
    if (element && !element.open) {
        element.showModal();
    }
}

export function erase(element) {
    if (element && window.Plotly) {
        window.Plotly.purge(element);
    }
}

// Pictures: dropped on the element, pasted anywhere, chosen by its file inputs.

async function upload(files, receiver) {
    for (const file of files) {
        let answer;
        try {
            const response = await fetch("/pictures", { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });
            answer = await response.json();
        } catch {
            answer = { error: "The picture did not reach the server." };
        }

        await receiver.invokeMethodAsync("Received", file.name || "pasted picture", answer.id ?? null, answer.error ?? null);
    }
}

export function acceptPictures(element, receiver) {
    if (!element) {
        return;
    }

    const stop = event => event.preventDefault();
    const over = on => event => { stop(event); element.classList.toggle("over", on); };
    element.addEventListener("dragover", over(true));
    element.addEventListener("dragleave", over(false));
    element.addEventListener("drop", event => {
        over(false)(event);
        upload([...event.dataTransfer.files], receiver);
    });
    for (const input of element.querySelectorAll("input[type=file]")) {
        input.addEventListener("change", async () => {
            await upload([...input.files], receiver);
            input.value = "";
        });
    }

    const paste = event => {
        if (!element.isConnected) {
            document.removeEventListener("paste", paste);
            return;
        }

        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length > 0) {
            stop(event);
            upload(files, receiver);
        }
    };
    document.addEventListener("paste", paste);
}

export function pick(element, camera) {
    element?.querySelector(camera ? "input[capture]" : "input[type=file]:not([capture])")?.click();
}

// A range input over two pictures moves the border between them; it needs no server.
document.addEventListener("input", event => {
    const wipe = event.target.closest?.(".wipe");
    if (wipe) {
        wipe.style.setProperty("--wipe", `${event.target.value}%`);
    }

    const size = event.target.closest?.("[data-css]");
    if (size) {
        document.getElementById(size.dataset.of)?.style.setProperty(size.dataset.css, size.value + size.dataset.unit);
    }

    const overlay = event.target.closest?.("[data-opacity-of]");
    if (overlay) {
        const target = document.getElementById(overlay.dataset.opacityOf);
        if (target) {
            target.style.opacity = event.target.value / 100;
        }
    }
});

// A picture that follows a slider asks for one address at a time, then for the newest one: what was wanted in between is never asked for,
// and no late answer replaces a newer one. While it moves it comes as large as it is shown; its exact pixels, and then the small pictures
// beside it, come when it rests, for they would hold it up.

const rest = 250;
const followers = new WeakMap();
let restTimer;

function follow(picture) {
    const wanted = picture.dataset.picture;
    const state = followers.get(picture) ?? {};
    followers.set(picture, state);
    if (state.asked !== undefined && (!state.exact || state.asked === wanted)) {
        return;
    }

    if (state.shown === wanted) {
        showSmall(state.failed);
    } else if (state.rough === wanted) {
        restTimer ??= setTimeout(() => ask(picture, state, true), rest);
    } else {
        ask(picture, state, !picture.hasAttribute("src"));
    }
}

function ask(picture, state, exact) {
    clearTimeout(restTimer);
    restTimer = undefined;
    for (const small of document.querySelectorAll("img[data-later]")) {
        if (!small.complete) {
            small.removeAttribute("src");
        }
    }

    [state.asked, state.exact, state.shown] = [picture.dataset.picture, exact, undefined];
    delete picture.dataset.shown;
    picture.src = exact ? state.asked : `${state.asked}&side=${Math.ceil(Math.max(picture.clientWidth, picture.clientHeight) * devicePixelRatio)}`;
}

async function arrive(event) {
    const picture = event.target;
    const state = followers.get(picture);
    if (state?.asked === undefined) {
        return;
    }

    const { asked } = state;
    const failed = state.failed = event.type === "error";
    state.rough = asked;
    if (state.exact || failed) {
        state.shown = picture.dataset.shown = asked;
    }

    state.asked = undefined;
    follow(picture);
    const problem = failed ? await reason(asked) : "";
    if (state.rough === asked) {
        document.getElementById(picture.dataset.problem).textContent = problem;
    }
}

function showSmall(failed) {
    for (const small of document.querySelectorAll("img[data-later]")) {
        if (failed) {
            small.removeAttribute("src");
        } else if (small.getAttribute("src") !== small.dataset.later) {
            small.src = small.dataset.later;
        }
    }
}

async function reason(address) {
    try {
        return (await (await fetch(address)).json()).error;
    } catch {
        return "The picture cannot be drawn.";
    }
}

document.addEventListener("load", arrive, true);
document.addEventListener("error", arrive, true);
new MutationObserver(() => document.querySelectorAll("img[data-picture]").forEach(follow))
    .observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-picture", "data-later"] });
document.querySelectorAll("img[data-picture]").forEach(follow);

// Arrow keys go from row to row of a table: to the same control of the row above or below.
document.addEventListener("keydown", event => {
    const row = event.target.closest?.("[data-arrows] tbody tr");
    const step = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
    if (!row || !step || event.target.matches("select, textarea")) {
        return;
    }

    const controls = r => [...r.querySelectorAll("a, button, input")];
    const next = controls(row[step] ?? row)[controls(row).indexOf(event.target)];
    if (next) {
        event.preventDefault();
        next.focus();
    }
});

// Dragging steps of a pipeline: the browser needs a word of data to begin a drag.
document.addEventListener("dragstart", event => {
    if (event.target.closest?.("[draggable=true]")) {
        event.dataTransfer.setData("text/plain", "step");
        event.dataTransfer.effectAllowed = "move";
    }
});
