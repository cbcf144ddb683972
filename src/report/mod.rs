//! What a person reads about a contract: the annotated listing, the explanation by layer, the limits,
//! the comparison with the float model.

pub mod compare;
pub mod explain;
mod idioms;
pub mod inspect;
pub mod limits;
pub mod listing;
pub mod map;
mod walk;
