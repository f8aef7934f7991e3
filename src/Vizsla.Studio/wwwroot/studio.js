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

// Files of a drop; of folders those that look like pictures, in the order of their names.
async function filesOf(transfer) {
    const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(entry => entry);
    if (!entries.some(entry => entry.isDirectory)) {
        return [...transfer.files];
    }

    const found = [];
    const visit = async (entry, isInside) => {
        if (entry.isDirectory) {
            const reader = entry.createReader();
            const children = [];
            for (let part; (part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length > 0;) {
                children.push(...part);
            }

            for (const child of children.sort((a, b) => a.name < b.name ? -1 : 1)) {
                await visit(child, true);
            }
        } else if (!isInside || /\.(jpe?g|png|gif|webp|bmp|tiff?|hei[cf]|avif)$/i.test(entry.name)) {
            found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
        }
    };
    for (const entry of entries) {
        await visit(entry, false);
    }

    return found;
}

export function acceptPictures(element, receiver) {
    if (!element) {
        return;
    }

    const stop = event => event.preventDefault();
    const over = on => event => { stop(event); element.classList.toggle("over", on); };
    element.addEventListener("dragover", over(true));
    element.addEventListener("dragleave", over(false));
    element.pictureReceiver = receiver;
    element.addEventListener("drop", async event => {
        over(false)(event);
        upload(await filesOf(event.dataTransfer), receiver);
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

export async function pick(element, camera) {
    if (camera && matchMedia("(pointer: fine)").matches && await takePhoto(element)) {
        return;
    }

    element?.querySelector(camera ? "input[capture]" : "input[type=file]:not([capture])")?.click();
}

// The camera of a desktop: what it sees in a dialog, and a photo of that. Without one the file picker opens.
async function takePhoto(element) {
    let stream;
    try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
    } catch {
        return false;
    }

    const dialog = document.createElement("dialog");
    dialog.className = "sheet camera";
    dialog.setAttribute("aria-label", "Camera");
    dialog.innerHTML = `<video autoplay muted playsinline></video><div class="row"><button type="button" class="button main">Take the photo</button><button type="button" class="button">Close</button></div>`;
    const video = dialog.querySelector("video");
    const [take, close] = dialog.querySelectorAll("button");
    video.srcObject = stream;
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
        stream.getTracks().forEach(track => track.stop());
        dialog.remove();
    });
    close.addEventListener("click", () => dialog.close());
    take.addEventListener("click", async () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
        canvas.getContext("2d").drawImage(video, 0, 0);
        const photo = await new Promise(resolve => canvas.toBlob(resolve, "image/jpeg", 0.92));
        dialog.close();
        await upload([new File([photo], "camera.jpg", { type: "image/jpeg" })], element.pictureReceiver);
    });
    dialog.showModal();
    return true;
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

// The map of a dataset: points on a canvas, moved by dragging, zoomed by the wheel, walked through by arrow keys.

const planes = new WeakMap();

export function drawPlane(element, points, receiver) {
    if (!element) {
        return;
    }

    const known = planes.get(element);
    const plane = known ?? { zoom: 1, left: 0, top: 0, at: -1 };
    Object.assign(plane, { element, canvas: element.querySelector("canvas"), card: element.querySelector("figure"), points, receiver });
    planes.set(element, plane);
    if (!known) {
        new ResizeObserver(() => paint(plane)).observe(element);
        plane.canvas.addEventListener("pointermove", event => event.buttons ? drag(plane, event) : point(plane, nearest(plane, event.offsetX, event.offsetY, 14)));
        plane.canvas.addEventListener("pointerdown", event => { plane.moved = 0; plane.canvas.setPointerCapture(event.pointerId); });
        plane.canvas.addEventListener("click", event => plane.moved < 4 && choose(plane, nearest(plane, event.offsetX, event.offsetY, 14)));
        plane.canvas.addEventListener("wheel", event => { event.preventDefault(); zoom(plane, Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY); }, { passive: false });
        plane.canvas.addEventListener("keydown", event => walk(plane, event));
        plane.canvas.addEventListener("pointerleave", () => point(plane, -1));
    }

    paint(plane);
    element.dataset.drawn = String(points.length);
}

const margin = 14;
const extent = plane => Math.min(plane.canvas.clientWidth, plane.canvas.clientHeight) - 2 * margin;

function place(plane, p) {
    const side = extent(plane);
    return [margin + (plane.canvas.clientWidth - 2 * margin - side) / 2 + (p.x * side - plane.left) * plane.zoom, margin + (p.y * side - plane.top) * plane.zoom];
}

function paint(plane) {
    const { canvas, points } = plane;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    const brush = canvas.getContext("2d");
    brush.scale(devicePixelRatio, devicePixelRatio);
    const radius = Math.max(2, Math.min(6, 60 / Math.sqrt(points.length))) * Math.sqrt(plane.zoom);
    points.forEach((p, i) => {
        const [x, y] = place(plane, p);
        if (p.picture && x > -radius && y > -radius && x < width + radius && y < height + radius) {
            brush.beginPath();
            brush.arc(x, y, i === plane.at ? radius * 2 : radius, 0, 7);
            brush.fillStyle = p.color;
            brush.fill();
        }
    });
}

function nearest(plane, x, y, within) {
    let best = -1;
    let distance = within;
    plane.points.forEach((p, i) => {
        const [px, py] = place(plane, p);
        const d = Math.hypot(px - x, py - y);
        if (p.picture && d < distance) {
            [best, distance] = [i, d];
        }
    });
    return best;
}

function point(plane, index) {
    if (plane.at === index) {
        return;
    }

    plane.at = index;
    plane.card.hidden = index < 0;
    if (index >= 0) {
        const p = plane.points[index];
        const [x, y] = place(plane, p);
        plane.card.querySelector("img").src = p.picture;
        plane.card.querySelector("figcaption").textContent = p.label;
        plane.card.style.left = `${Math.max(0, Math.min(x + 14, plane.canvas.clientWidth - 176))}px`;
        plane.card.style.top = `${Math.max(0, Math.min(y + 14, plane.canvas.clientHeight - 210))}px`;
    }

    paint(plane);
}

function choose(plane, index) {
    if (index >= 0) {
        plane.receiver.invokeMethodAsync("ChooseAsync", index);
    }
}

function drag(plane, event) {
    plane.moved += Math.abs(event.movementX) + Math.abs(event.movementY);
    plane.left -= event.movementX / plane.zoom;
    plane.top -= event.movementY / plane.zoom;
    point(plane, -1);
    paint(plane);
}

function zoom(plane, by, x, y) {
    const factor = Math.max(1, Math.min(40, plane.zoom * by)) / plane.zoom;
    const side = extent(plane);
    const [fromLeft, fromTop] = [x - margin - (plane.canvas.clientWidth - 2 * margin - side) / 2, y - margin];
    plane.left += fromLeft / plane.zoom * (1 - 1 / factor);
    plane.top += fromTop / plane.zoom * (1 - 1 / factor);
    plane.zoom *= factor;
    if (plane.zoom === 1) {
        plane.left = plane.top = 0;
    }

    plane.card.hidden = true;
    plane.at = -1;
    paint(plane);
}

function walk(plane, event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const middle = [plane.canvas.clientWidth / 2, plane.canvas.clientHeight / 2];
    if (event.key === "Enter") {
        choose(plane, plane.at);
    } else if (event.key === "+" || event.key === "-") {
        zoom(plane, event.key === "+" ? 1.4 : 1 / 1.4, ...(plane.at < 0 ? middle : place(plane, plane.points[plane.at])));
    } else if (way) {
        event.preventDefault();
        const from = plane.at < 0 ? middle : place(plane, plane.points[plane.at]);
        let best = plane.at < 0 ? nearest(plane, ...from, Infinity) : -1;
        let cost = Infinity;
        plane.points.forEach((p, i) => {
            const [x, y] = place(plane, p);
            const along = (x - from[0]) * way[0] + (y - from[1]) * way[1];
            const across = Math.abs((x - from[0]) * way[1]) + Math.abs((y - from[1]) * way[0]);
            if (plane.at >= 0 && i !== plane.at && p.picture && along > 0 && along + 2 * across < cost) {
                [best, cost] = [i, along + 2 * across];
            }
        });
        if (best >= 0) {
            point(plane, best);
        }
    }
}

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

// A server that was started anew does not know this page: it is loaded again, and its address has what it showed.
document.getElementById("components-reconnect-modal")?.addEventListener("components-reconnect-state-changed", async event => {
    if (event.detail.state !== "rejected" && event.detail.state !== "failed") {
        return;
    }

    for (;;) {
        try {
            await fetch("/healthz", { cache: "no-store" });
            location.reload();
            return;
        } catch {
            await new Promise(resolve => setTimeout(resolve, 1000));
        }
    }
});

// Dragging steps of a pipeline: the browser needs a word of data to begin a drag.
document.addEventListener("dragstart", event => {
    if (event.target.closest?.("[draggable=true]")) {
        event.dataTransfer.setData("text/plain", "step");
        event.dataTransfer.effectAllowed = "move";
    }
});
