//! What a person reads about a contract: the annotated listing, the explanation by layer, the limits,
//! the comparison with the float model, and all of it as a page with charts.

pub mod compare;
pub mod explain;
pub mod html;
mod idioms;
pub mod inspect;
pub mod limits;
pub mod listing;
pub mod map;
pub mod trace;
mod walk;
