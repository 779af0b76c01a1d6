//! The line editor: reedline with our prompt, our idea of a whole statement, and a
//! history in the user's state directory.

use super::words::Words;
use crate::command::sql::statements;
use crate::failure::Failure;
use reedline::{
    ColumnarMenu, DefaultHinter, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder,
    Prompt, PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal,
    ValidationResult, Validator, default_emacs_keybindings,
};
use std::borrow::Cow;
use std::path::PathBuf;

/// Statements that are remembered.
const HISTORY_MAX: usize = 10_000;
const MENU: &str = "words";

/// What the one who types has done.
pub enum Typed {
    /// A whole statement, or several, or a command.
    Text(String),
    /// Nothing, or something that was given up.
    Nothing,
    /// Ctrl-D.
    End,
}

/// The editor.
pub struct Editor(Reedline);

impl Editor {
    /// An editor that completes `words`.
    pub fn new(words: Words) -> Editor {
        let mut keys = default_emacs_keybindings();
        let complete = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(complete));
        let menu = ColumnarMenu::default().with_name(MENU);
        let editor = Reedline::create()
            .with_completer(Box::new(words))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_hinter(Box::new(DefaultHinter::default()))
            .with_validator(Box::new(Whole));
        Editor(match history() {
            Some(history) => editor.with_history(Box::new(history)),
            None => editor,
        })
    }

    /// Waits for a statement.
    pub fn read(&mut self) -> Result<Typed, Failure> {
        let typed = self.0.read_line(&Ask);
        match typed
            .map_err(|error| Failure::failed(format!("cannot read the terminal: {error}")))?
        {
            Signal::Success(text) if !text.trim().is_empty() => Ok(Typed::Text(text)),
            Signal::CtrlD => Ok(Typed::End),
            _ => Ok(Typed::Nothing),
        }
    }
}

/// The history in the user's state directory; without one it ends with the program.
fn history() -> Option<FileBackedHistory> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    FileBackedHistory::with_file(HISTORY_MAX, state.join("pyralog/sql_history")).ok()
}

/// Enter ends what is whole, and begins a line of what is not.
struct Whole;

impl Validator for Whole {
    fn validate(&self, text: &str) -> ValidationResult {
        match text.trim_start().starts_with('\\') || statements::is_complete(text) {
            true => ValidationResult::Complete,
            false => ValidationResult::Incomplete,
        }
    }
}

/// What stands before that which is typed.
struct Ask;

impl Prompt for Ask {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("pyralog")
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("      -> ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!(" history '{}'> ", search.term))
    }
}
