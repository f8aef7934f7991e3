// Pictures classified by transformers.js with models of a Hub. In Node: classify.mjs LIBRARY HUB JOBS CACHE, where jobs are JSON; the answers are printed as JSON. In a page: classify(...).
export async function classify({ pipeline, env }, hub, jobs, cache) {
    Object.assign(env, { remoteHost: hub, allowLocalModels: false, useBrowserCache: false, cacheDir: cache });
    const answers = [];
    for (const { model, dtype, picture } of jobs) {
        const classifier = await pipeline('image-classification', model, { dtype, device: globalThis.document ? 'wasm' : 'cpu' });
        answers.push(await classifier(picture, { top_k: null }));
        await classifier.dispose();
    }
    return answers;
}

if (globalThis.process) {
    const [library, hub, jobs, cache] = process.argv.slice(2);
    console.log(JSON.stringify(await classify(await import(library), hub, JSON.parse(jobs), cache)));
}
