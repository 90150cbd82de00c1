//! The conformance suite on a SQLite file.

use std::sync::Arc;

use exeunt::store::Store;
use exeunt::store::sqlite::SqliteStore;

exeunt::conformance!(async {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(folder.path()).expect("opened");
    (folder, Arc::new(store) as Arc<dyn Store>)
});
