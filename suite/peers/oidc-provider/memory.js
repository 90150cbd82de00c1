// An adapter in memory that forgets nothing before its time, as the documentation of oidc-provider asks for one ("adapter").
//
// Owns every model's entries, by their ids, and which of them belong to a grant. It waits for nobody; what is over is forgotten when it is asked for.

const models = new Map();
const grants = new Map();
const uids = new Map();

export class Memory {
  constructor(name) {
    this.entries = models.get(name) ?? new Map();
    models.set(name, this.entries);
    this.isSession = name === 'Session';
  }

  async upsert(id, payload, expiresIn) {
    const expiresAt = expiresIn ? Date.now() + expiresIn * 1000 : Infinity;
    this.entries.set(id, { payload, expiresAt });
    if (this.isSession) uids.set(payload.uid, id);
    if (payload.grantId) {
      const of = grants.get(payload.grantId) ?? new Map();
      grants.set(payload.grantId, of.set(id, this.entries));
    }
  }

  async find(id) {
    const entry = this.entries.get(id);
    if (!entry) return undefined;
    if (entry.expiresAt > Date.now()) return entry.payload;
    this.entries.delete(id);
    return undefined;
  }

  async findByUid(uid) {
    return this.find(uids.get(uid));
  }

  // No device asks here for a code that a person types elsewhere.
  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    const entry = this.entries.get(id);
    if (entry) entry.payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    const entry = this.entries.get(id);
    if (this.isSession && entry) uids.delete(entry.payload.uid);
    this.entries.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const [id, entries] of grants.get(grantId) ?? []) entries.delete(id);
    grants.delete(grantId);
  }
}
