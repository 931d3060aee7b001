//! Delta-v: how much speed a spacecraft has to change to meet a body, computed and published.
//!
//! [`benner`](evaluate) holds the equations, so that every body with a closed orbit gets a value. The
//! published table covers only the bodies of its day; [`DeltaVTable`] reads it out of whatever it was
//! saved as, and [`compare`] shows how far the two agree. Where the bytes come from, and what
//! to do without the table, is left to the callers.

mod benner;
mod comparison;
mod html;
mod row;
mod table;

pub use benner::{
    EARTH_SPEED_KMS, Evaluation, MANOEUVRE_RESERVE_KMS, OrbitClass, PARKING_ORBIT_SPEED, evaluate,
    orbit_class, rendezvous_delta_v,
};
pub use comparison::{
    Comparison, DeltaVDocument, Deviation, DocumentRow, MAX_DEVIATIONS, TOLERANCE_KMS, compare,
};
pub use row::TableRow;
pub use table::{DeltaVError, DeltaVTable};
