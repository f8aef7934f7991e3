// Sends a photo to a served model and shows the answer; the list of addresses is read from the OpenAPI document.

const element = id => document.getElementById(id);

async function base64(file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let i = 0; i < bytes.length; i += 0x8000) {
        text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    }

    return btoa(text);
}

function showCommand() {
    const name = element("file").files[0]?.name ?? "photo.jpg";
    element("command").textContent = `curl --data-binary @${name} ${location.origin}/models/${element("model").value}`;
}

async function send() {
    const file = element("file").files[0];
    if (!file) {
        element("answer").textContent = "Choose a photo first.";
        return;
    }

    const parameters = { top_k: Number(element("top").value) };
    if (element("function").value) {
        parameters.function_to_apply = element("function").value;
    }

    const start = performance.now();
    const response = await fetch(`/models/${encodeURIComponent(element("model").value)}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: await base64(file), parameters }),
    });
    element("answer").textContent = JSON.stringify(await response.json(), null, 2);
    element("status").textContent = `${response.status} in ${Math.round(performance.now() - start)} ms`;
}

for (const model of await (await fetch("/api/models")).json()) {
    element("model").append(new Option(model.name));
}

const document_ = await (await fetch("/openapi.json")).json();
for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
        const row = element("addresses").insertRow();
        row.insertCell().innerHTML = "<code></code>";
        row.cells[0].firstChild.textContent = `${method.toUpperCase()} ${path}`;
        row.insertCell().textContent = operation.summary ?? "";
    }
}

showCommand();
element("model").addEventListener("change", showCommand);
element("file").addEventListener("change", showCommand);
element("send").addEventListener("click", send);
