//! Parses pickles as data. Nothing is ever called: a call becomes a value with its function and arguments.

use std::collections::HashMap;
use std::rc::Rc;

/// Longest accepted pickle: a network of a few hundred tensors takes some ten thousand instructions.
const MAX_INSTRUCTIONS: usize = 50_000;

/// Error of a pickle that is damaged, or has an unsupported instruction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: {reason}")]
pub(crate) struct PickleError {
    at: usize,
    reason: String,
}

/// A value described by a pickle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i128),
    Text(Rc<str>),
    Tuple(Rc<[Self]>),
    List(Vec<Self>),
    Dict(Vec<(Self, Self)>),
    /// A function or class, by module and name.
    Global(Rc<str>, Rc<str>),
    /// A call of a function with arguments.
    Call(Rc<Self>, Rc<Self>),
    /// A reference to data outside the pickle.
    Persistent(Rc<Self>),
}

impl Value {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn int<T: TryFrom<i128>>(&self) -> Option<T> {
        match self {
            Self::Int(int) => T::try_from(*int).ok(),
            _ => None,
        }
    }

    pub(crate) fn tuple(&self) -> Option<&[Self]> {
        match self {
            Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// Returns true if this is the function or class of that module and name.
    pub(crate) fn is_global(&self, module: &str, name: &str) -> bool {
        matches!(self, Self::Global(m, n) if **m == *module && **n == *name)
    }
}

/// Parses the pickle at offset `at`: returns its value, and the offset after it.
///
/// # Errors
/// If it is damaged, too long, or has an unsupported instruction.
pub(crate) fn read(bytes: &[u8], at: usize) -> Result<(Value, usize), PickleError> {
    let mut reader = Reader { bytes, at, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    for _ in 0..MAX_INSTRUCTIONS {
        let start = reader.at;
        let failed = |reason: String| PickleError { at: start, reason };
        if reader.step().map_err(failed)? {
            let value = reader.pop().map_err(failed)?;
            return Ok((value, reader.at));
        }
    }
    Err(PickleError { at: reader.at, reason: format!("more than {MAX_INSTRUCTIONS} instructions") })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    /// Stack heights at which lists of operands begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

type Step<T> = Result<T, String>;

impl<'a> Reader<'a> {
    /// Executes one instruction; true at the end of the pickle.
    fn step(&mut self) -> Step<bool> {
        match self.byte()? {
            b'.' => return Ok(true),
            // The protocol version makes no difference here.
            0x80 => drop(self.byte()?),
            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'K' => self.int(1)?,
            b'M' => self.int(2)?,
            b'J' => {
                let value = i32::from_le_bytes(self.array()?);
                self.stack.push(Value::Int(value.into()));
            }
            0x8a => {
                let length = self.byte()?.into();
                self.signed(length)?;
            }
            b'X' => {
                let length = u32::from_le_bytes(self.array()?) as usize;
                let text = std::str::from_utf8(self.take(length)?).map_err(|_| "text that is not UTF-8")?;
                self.stack.push(Value::Text(text.into()));
            }
            b'(' => self.marks.push(self.stack.len()),
            b')' => self.stack.push(Value::Tuple([].into())),
            b']' => self.stack.push(Value::List(Vec::new())),
            b'}' => self.stack.push(Value::Dict(Vec::new())),
            b't' => self.tuple_from_mark()?,
            count @ 0x85..=0x87 => self.tuple(usize::from(count - 0x84))?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.stack.push(Value::Global(module.into(), name.into()));
            }
            b'R' => self.call()?,
            b'Q' => {
                let name = Rc::new(self.pop()?);
                self.stack.push(Value::Persistent(name));
            }
            // Attributes of an object: for the accepted files they are version notes.
            b'b' => drop(self.pop()?),
            b'q' => {
                let key = self.byte()?.into();
                self.remember(key)?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.array()?);
                self.remember(key)?;
            }
            b'h' => {
                let key = self.byte()?.into();
                self.recall(key)?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.array()?);
                self.recall(key)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.insert(vec![key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.insert(items)?;
            }
            other => return Err(format!("instruction {other:#04x}, which no saved network needs")),
        }
        Ok(false)
    }

    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let end = self.at.checked_add(count).ok_or("the file ends early")?;
        let taken = self.bytes.get(self.at..end).ok_or("the file ends early")?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| "the file ends early".to_owned())
    }

    fn byte(&mut self) -> Step<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn line(&mut self) -> Step<&'a str> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or("the file ends early")?;
        let line = self.take(length)?;
        self.byte()?;
        std::str::from_utf8(line).map_err(|_| "text that is not UTF-8".to_owned())
    }

    /// Pushes an unsigned number of up to two bytes.
    fn int(&mut self, length: usize) -> Step<()> {
        let value = self.take(length)?.iter().rev().fold(0, |value, byte| (value << 8) | i128::from(*byte));
        self.stack.push(Value::Int(value));
        Ok(())
    }

    /// Pushes a signed number.
    fn signed(&mut self, length: usize) -> Step<()> {
        let bytes = self.take(length)?;
        let mut whole = [if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 }; 16];
        whole.get_mut(..length).ok_or("a number of more than 16 bytes")?.copy_from_slice(bytes);
        self.stack.push(Value::Int(i128::from_le_bytes(whole)));
        Ok(())
    }

    fn pop(&mut self) -> Step<Value> {
        if self.marks.last().is_some_and(|mark| *mark >= self.stack.len()) {
            return Err("an operand is missing".to_owned());
        }
        self.stack.pop().ok_or_else(|| "an operand is missing".to_owned())
    }

    fn pop_to_mark(&mut self) -> Step<Vec<Value>> {
        let mark = self.marks.pop().ok_or("operands without a beginning")?;
        if mark > self.stack.len() {
            return Err("operands without a beginning".to_owned());
        }
        Ok(self.stack.split_off(mark))
    }

    fn tuple_from_mark(&mut self) -> Step<()> {
        let items = self.pop_to_mark()?;
        self.stack.push(Value::Tuple(items.into()));
        Ok(())
    }

    fn tuple(&mut self, count: usize) -> Step<()> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Step<Vec<_>>>()?;
        items.reverse();
        self.stack.push(Value::Tuple(items.into()));
        Ok(())
    }

    /// Turns an empty `OrderedDict` into a dictionary; every other call stays a call.
    fn call(&mut self) -> Step<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let empty = arguments.tuple().is_some_and(<[Value]>::is_empty);
        self.stack.push(if empty && function.is_global("collections", "OrderedDict") {
            Value::Dict(Vec::new())
        } else {
            Value::Call(Rc::new(function), Rc::new(arguments))
        });
        Ok(())
    }

    fn remember(&mut self, key: u32) -> Step<()> {
        let value = self.stack.last().ok_or("an operand is missing")?;
        self.memo.insert(key, value.clone());
        Ok(())
    }

    /// Pushes a memorised value. Lists and dictionaries are rejected, because they may have changed since.
    fn recall(&mut self, key: u32) -> Step<()> {
        match self.memo.get(&key) {
            None => Err("it refers to nothing".to_owned()),
            Some(Value::List(_) | Value::Dict(_)) => Err("a list or dictionary in two places".to_owned()),
            Some(value) => {
                self.stack.push(value.clone());
                Ok(())
            }
        }
    }

    fn append(&mut self, items: Vec<Value>) -> Step<()> {
        match self.stack.last_mut() {
            Some(Value::List(list)) => list.extend(items),
            _ => return Err("items without a list".to_owned()),
        }
        Ok(())
    }

    fn insert(&mut self, items: Vec<Value>) -> Step<()> {
        let Some(Value::Dict(dict)) = self.stack.last_mut() else {
            return Err("entries without a dictionary".to_owned());
        };
        let mut items = items.into_iter();
        while let Some(key) = items.next() {
            dict.push((key, items.next().ok_or("a key without a value")?));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pickle: &[u8], expected: &Value) {
        let (value, end) = read(pickle, 0).unwrap();
        assert_eq!((&value, end), (expected, pickle.len()));
    }

    fn reason(pickle: &[u8]) -> String {
        read(pickle, 0).unwrap_err().to_string()
    }

    #[test]
    fn numbers_keep_sign_and_size() {
        check(b"\x80\x02K\xff.", &Value::Int(255));
        check(b"\x80\x02M\xff\xff.", &Value::Int(65535));
        check(b"\x80\x02J\xfe\xff\xff\xff.", &Value::Int(-2));
        check(b"\x80\x02\x8a\x03\x00\x00\x80.", &Value::Int(-8_388_608));
    }

    #[test]
    fn containers_hold_their_items_in_order() {
        let one_two = Value::List(vec![Value::Int(1), Value::Int(2)]);
        check(b"\x80\x02]q\0(K\x01K\x02e.", &one_two);
        let entry = (Value::Text("a".into()), Value::Tuple([Value::None, Value::Bool(true)].into()));
        check(b"\x80\x02}q\0X\x01\0\0\0aq\x01N\x88\x86q\x02s.", &Value::Dict(vec![entry]));
    }

    #[test]
    fn calls_are_never_made() {
        let (value, _) = read(b"\x80\x02cos\nsystem\nX\x04\0\0\0exit\x85R.", 0).unwrap();
        let Value::Call(function, arguments) = value else { panic!("a call") };
        assert!(function.is_global("os", "system"));
        assert_eq!(arguments.tuple().unwrap()[0].text(), Some("exit"));
    }

    #[test]
    fn damaged_pickle_is_an_error() {
        for pickle in [&b""[..], b"K", b".", b"(", b"t.", b"(.", b"R.", b"s.", b"(K\x01u.", b"h\0.", b"X\xff\0\0\0a."] {
            assert!(read(pickle, 0).is_err(), "{pickle:?}");
        }
        assert!(reason(b"\x80\x02i").contains("0x69"));
        assert!(reason(&[b'N'; MAX_INSTRUCTIONS + 1]).contains("instructions"));
        assert!(reason(b"\x80\x02]q\0h\0.").contains("two places"));
    }
}
