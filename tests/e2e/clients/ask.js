// node's fetch: URL, bytes of the body, seconds of patience, how often. A line for each answer.
const [url, file, patience, times] = process.argv.slice(2);
const body = require("fs").readFileSync(file);
(async () => {
  for (let i = 0; i < Number(times); i++) {
    try {
      const answer = await fetch(url, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
        signal: AbortSignal.timeout(Number(patience) * 1000),
      });
      await answer.text();
      console.log(answer.status);
    } catch (error) {
      const cause = error.cause ? ` ${error.cause.code || error.cause.message}` : "";
      console.log(`${error.name}: ${error.message}${cause}`);
    }
  }
})();
