//! A FlatBuffers reader for untrusted files: every offset is checked before use.

/// Error of a file that is not a FlatBuffer, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file is damaged, or no TensorFlow Lite model")]
pub struct Damaged;

type FlatResult<T> = Result<T, Damaged>;

/// A table: numbered, optional fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: usize,
    fields_size: usize,
}

impl<'a> Table<'a> {
    /// Reads the root table of a file.
    pub(crate) fn root(bytes: &'a [u8]) -> FlatResult<Self> {
        Self::at(bytes, offset(bytes, 0)?)
    }

    fn at(bytes: &'a [u8], at: usize) -> FlatResult<Self> {
        let back = i32::from_le_bytes(array(bytes, at)?);
        let fields = usize::try_from(i64::try_from(at).map_err(|_| Damaged)? - i64::from(back)).map_err(|_| Damaged)?;
        let fields_size = usize::from(u16::from_le_bytes(array(bytes, fields)?));
        Ok(Self { bytes, at, fields, fields_size })
    }

    /// Finds a field's position; `None` if the table does not have it.
    fn place(&self, field: usize) -> FlatResult<Option<usize>> {
        let entry = 4 + 2 * field;
        if entry + 2 > self.fields_size {
            return Ok(None);
        }
        let inside = usize::from(u16::from_le_bytes(array(self.bytes, self.fields + entry)?));
        Ok((inside != 0).then_some(self.at + inside))
    }

    /// Follows a field's offset.
    fn follow(&self, field: usize) -> FlatResult<Option<usize>> {
        self.place(field)?.map(|place| offset(self.bytes, place)).transpose()
    }

    pub(crate) fn byte(&self, field: usize) -> FlatResult<u8> {
        Ok(self.place(field)?.map(|place| array::<1>(self.bytes, place)).transpose()?.map_or(0, |[byte]| byte))
    }

    pub(crate) fn int(&self, field: usize) -> FlatResult<i32> {
        Ok(self.place(field)?.map(|place| array(self.bytes, place)).transpose()?.map_or(0, i32::from_le_bytes))
    }

    pub(crate) fn table(&self, field: usize) -> FlatResult<Option<Self>> {
        self.follow(field)?.map(|at| Self::at(self.bytes, at)).transpose()
    }

    pub(crate) fn tables(&self, field: usize) -> FlatResult<Vec<Self>> {
        let Some((start, count)) = self.list(field, 4)? else { return Ok(Vec::new()) };
        (0..count).map(|number| Self::at(self.bytes, offset(self.bytes, start + 4 * number)?)).collect()
    }

    pub(crate) fn ints(&self, field: usize) -> FlatResult<Vec<i32>> {
        Ok(self.numbers::<4>(field)?.into_iter().map(i32::from_le_bytes).collect())
    }

    pub(crate) fn longs(&self, field: usize) -> FlatResult<Vec<i64>> {
        Ok(self.numbers::<8>(field)?.into_iter().map(i64::from_le_bytes).collect())
    }

    pub(crate) fn floats(&self, field: usize) -> FlatResult<Vec<f32>> {
        Ok(self.numbers::<4>(field)?.into_iter().map(f32::from_le_bytes).collect())
    }

    pub(crate) fn bytes(&self, field: usize) -> FlatResult<&'a [u8]> {
        let Some((start, count)) = self.list(field, 1)? else { return Ok(&[]) };
        self.bytes.get(start..start + count).ok_or(Damaged)
    }

    fn numbers<const N: usize>(&self, field: usize) -> FlatResult<Vec<[u8; N]>> {
        let Some((start, count)) = self.list(field, N)? else { return Ok(Vec::new()) };
        (0..count).map(|number| array(self.bytes, start + N * number)).collect()
    }

    /// Finds a list's start and length. All elements lie within the file.
    fn list(&self, field: usize, size: usize) -> FlatResult<Option<(usize, usize)>> {
        let Some(at) = self.follow(field)? else { return Ok(None) };
        let count = u32::from_le_bytes(array(self.bytes, at)?) as usize;
        let start = at + 4;
        let end = count.checked_mul(size).and_then(|length| start.checked_add(length)).ok_or(Damaged)?;
        if end <= self.bytes.len() { Ok(Some((start, count))) } else { Err(Damaged) }
    }
}

fn offset(bytes: &[u8], at: usize) -> FlatResult<usize> {
    at.checked_add(u32::from_le_bytes(array(bytes, at)?) as usize).ok_or(Damaged)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> FlatResult<[u8; N]> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Damaged)
}
