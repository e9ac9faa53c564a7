//! The lines at the bottom of a terminal that are drawn again and again.
//!
//! The cursor rests on the line below them. It is hidden only while a picture is drawn, in the same
//! write that shows it again, so that nothing that ends or stops this process can leave it hidden.

const HIDE: &str = "\x1b[?25l";
const SHOW: &str = "\x1b[?25h";
const ERASE_LINE: &str = "\x1b[K";
const ERASE_BELOW: &str = "\x1b[J";

/// The size of a terminal in columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl Size {
    /// What terminals that do not tell are taken for, as in buildx.
    pub(crate) const UNKNOWN: Self = Self { columns: 80, rows: 10 };
}

/// One line with its colours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Painted {
    pub(crate) bytes: String,
    /// The columns that it takes.
    pub(crate) columns: usize,
}

/// What is drawn at the moment.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    drawn: Vec<Painted>,
    /// Whether the cursor is in the middle of a line.
    unfinished: bool,
    /// Whether a program reads, which takes nothing but JSON.
    json: bool,
}

impl Screen {
    /// The bytes that put a picture in the place of the last one.
    pub(crate) fn draw(&mut self, picture: Vec<Painted>, size: Size) -> Vec<u8> {
        let mut bytes = format!("{HIDE}{}", self.back(size));
        self.drawn = picture;
        self.redraw(&mut bytes);
        bytes.push_str(SHOW);
        bytes.into_bytes()
    }

    /// The bytes that write `text`, which ends with a newline, above the picture.
    pub(crate) fn above(&mut self, text: &[u8], size: Size) -> Vec<u8> {
        if text.is_empty() {
            return Vec::new();
        }
        if self.drawn.is_empty() {
            let newline: &[u8] = if std::mem::take(&mut self.unfinished) { b"\n" } else { b"" };
            return [newline, text].concat();
        }
        let mut rest = String::new();
        self.redraw(&mut rest);
        let start = format!("{HIDE}{}{ERASE_BELOW}", self.back(size));
        [start.as_bytes(), text, rest.as_bytes(), SHOW.as_bytes()].concat()
    }

    /// Bytes of progress that is no picture go by.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last() {
            self.unfinished = *last != b'\n';
        }
    }

    /// The picture stays as it is; what comes next is written below, behind these bytes.
    pub(crate) fn leave(&mut self) -> Vec<u8> {
        self.drawn.clear();
        if std::mem::take(&mut self.unfinished) { b"\n".to_vec() } else { Vec::new() }
    }

    /// Whether a program reads, which takes nothing but JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Says whether a program reads.
    pub(crate) fn set_json(&mut self, json: bool) {
        self.json = json;
    }

    /// Moves the cursor to the beginning of the picture.
    ///
    /// A terminal that became narrower has wrapped its lines.
    fn back(&self, size: Size) -> String {
        let wrapped = |line: &Painted| line.columns.div_ceil(size.columns.max(1)).max(1);
        let rows: usize = self.drawn.iter().map(wrapped).sum();
        match rows.min(size.rows.saturating_sub(1)) {
            0 => "\r".into(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }

    fn redraw(&self, bytes: &mut String) {
        for line in &self.drawn {
            bytes.push_str(&line.bytes);
            bytes.push_str(ERASE_LINE);
            bytes.push('\n');
        }
        bytes.push_str(ERASE_BELOW);
    }
}
