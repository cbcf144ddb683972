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

/// A text that a file holds, without what a terminal would obey.
pub fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }).collect()
}
