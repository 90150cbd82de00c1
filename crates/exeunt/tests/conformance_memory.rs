//! The conformance suite on the store in memory.

use std::sync::Arc;

use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;

exeunt::conformance!(async { ((), Arc::new(MemoryStore::default()) as Arc<dyn Store>) });
