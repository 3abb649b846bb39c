// PouchDB beside the phone: its default store on disk and its default replication, against pouchdb-server.
// Orders come as lines of JSON on standard input, each is answered by one line.
'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const PouchDB = require(path.join(process.argv[2], 'node_modules', 'pouchdb'));

const orders = {
  // Documents into a local or a remote database, before anything is timed.
  async store({ at, documents }) {
    const database = new PouchDB(at);
    const answers = await database.bulkDocs(JSON.parse(fs.readFileSync(documents, 'utf8')));
    await database.close();
    return { stored: answers.filter((one) => one.ok).length };
  },

  async replicate({ from, to }) {
    const [source, target] = [new PouchDB(from), new PouchDB(to)];
    await Promise.all([source.info(), target.info()]);
    const started = process.hrtime.bigint();
    const result = await source.replicate.to(target);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const { doc_count } = await target.info();
    await Promise.all([source.close(), target.close()]);
    return { seconds, written: result.docs_written, failures: result.doc_write_failures, there: doc_count };
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    console.log(JSON.stringify(await orders[order.do](order)));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
