//! The conformance suite on a PostgreSQL database, on a real server.

#![cfg(feature = "postgres")]

mod throwaway;

use std::sync::Arc;

use exeunt::store::Store;
use exeunt::store::postgres::{Address, PostgresStore};
use throwaway::Postgres;

exeunt::conformance!(async {
    let address = Address::parse(&Postgres::shared().database()).expect("an address");
    let store = PostgresStore::open(&address, &address).await.expect("opened");
    ((), Arc::new(store) as Arc<dyn Store>)
});
