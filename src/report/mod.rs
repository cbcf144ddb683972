//! What a person reads about a contract: the annotated listing, the explanation by layer, the limits.

pub mod explain;
pub mod inspect;
pub mod limits;
pub mod listing;
mod walk;
