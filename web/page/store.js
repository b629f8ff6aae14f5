// The rows as they came, by table and key, the one that changed last at the end.

export class Store {
  constructor() {
    this.tables = { orders: new Map(), positions: new Map(), events: new Map(), marks: new Map(), problems: new Map() };
  }

  /** Take what has changed; a document that begins anew replaces everything. */
  take(document) {
    for (const [name, rows] of Object.entries(this.tables)) {
      if (document.begins) rows.clear();
      for (const row of document[name]) {
        rows.delete(row.key);
        if (!row.gone) rows.set(row.key, row);
      }
      for (const key of rows.keys()) {
        if (rows.size <= document.kept[name]) break;
        rows.delete(key);
      }
    }
  }

  /** Return the rows of a table, the one that changed last first. */
  latest(name) {
    return [...this.tables[name].values()].reverse();
  }
}
