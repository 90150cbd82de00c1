//! What goes into a statement, and as which type.
//!
//! Owns the list of types that our statements take. A statement without a name says its types beforehand, for nobody asks the server for
//! them.

use tokio_postgres::types::{ToSql, Type};

/// A value that knows its type in the database.
pub(super) trait Param: ToSql + Sync {
    fn kind(&self) -> Type;
}

/// Each of these, and each that may be missing.
macro_rules! kinds {
    ($($rust:ty => $sql:ident),+ $(,)?) => {$(
        impl Param for $rust {
            fn kind(&self) -> Type {
                Type::$sql
            }
        }
        impl Param for Option<$rust> {
            fn kind(&self) -> Type {
                Type::$sql
            }
        }
    )+};
}

kinds! {
    bool => BOOL,
    i32 => INT4,
    i64 => INT8,
    &str => TEXT,
    String => TEXT,
    &[u8] => BYTEA,
    Vec<u8> => BYTEA,
    Vec<&str> => TEXT_ARRAY,
    Vec<&[u8]> => BYTEA_ARRAY,
    Vec<i64> => INT8_ARRAY,
}
