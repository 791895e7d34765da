//! FlatBuffers, read with care: every offset is looked at before it is followed, because a file may say anything.

/// A file that is no such buffer, or a damaged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file is damaged, or no TensorFlow Lite model")]
pub struct Damaged;

type Found<T> = Result<T, Damaged>;

/// One table: numbered fields, each of which may be missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: usize,
    fields_size: usize,
}

impl<'a> Table<'a> {
    /// The table that a file begins with.
    pub(crate) fn root(bytes: &'a [u8]) -> Found<Self> {
        Self::at(bytes, offset(bytes, 0)?)
    }

    fn at(bytes: &'a [u8], at: usize) -> Found<Self> {
        let back = i32::from_le_bytes(array(bytes, at)?);
        let fields = usize::try_from(i64::try_from(at).map_err(|_| Damaged)? - i64::from(back)).map_err(|_| Damaged)?;
        let fields_size = usize::from(u16::from_le_bytes(array(bytes, fields)?));
        Ok(Self { bytes, at, fields, fields_size })
    }

    /// Where a field is; `None` if the table does not have it.
    fn place(&self, field: usize) -> Found<Option<usize>> {
        let entry = 4 + 2 * field;
        if entry + 2 > self.fields_size {
            return Ok(None);
        }
        let inside = usize::from(u16::from_le_bytes(array(self.bytes, self.fields + entry)?));
        Ok((inside != 0).then_some(self.at + inside))
    }

    /// What a field refers to.
    fn referred(&self, field: usize) -> Found<Option<usize>> {
        self.place(field)?.map(|place| offset(self.bytes, place)).transpose()
    }

    pub(crate) fn byte(&self, field: usize) -> Found<u8> {
        Ok(self.place(field)?.map(|place| array::<1>(self.bytes, place)).transpose()?.map_or(0, |[byte]| byte))
    }

    pub(crate) fn int(&self, field: usize) -> Found<i32> {
        Ok(self.place(field)?.map(|place| array(self.bytes, place)).transpose()?.map_or(0, i32::from_le_bytes))
    }

    pub(crate) fn table(&self, field: usize) -> Found<Option<Self>> {
        self.referred(field)?.map(|at| Self::at(self.bytes, at)).transpose()
    }

    pub(crate) fn tables(&self, field: usize) -> Found<Vec<Self>> {
        let Some((start, count)) = self.list(field, 4)? else { return Ok(Vec::new()) };
        (0..count).map(|number| Self::at(self.bytes, offset(self.bytes, start + 4 * number)?)).collect()
    }

    pub(crate) fn ints(&self, field: usize) -> Found<Vec<i32>> {
        Ok(self.numbers::<4>(field)?.into_iter().map(i32::from_le_bytes).collect())
    }

    pub(crate) fn longs(&self, field: usize) -> Found<Vec<i64>> {
        Ok(self.numbers::<8>(field)?.into_iter().map(i64::from_le_bytes).collect())
    }

    pub(crate) fn floats(&self, field: usize) -> Found<Vec<f32>> {
        Ok(self.numbers::<4>(field)?.into_iter().map(f32::from_le_bytes).collect())
    }

    pub(crate) fn bytes(&self, field: usize) -> Found<&'a [u8]> {
        let Some((start, count)) = self.list(field, 1)? else { return Ok(&[]) };
        self.bytes.get(start..start + count).ok_or(Damaged)
    }

    fn numbers<const N: usize>(&self, field: usize) -> Found<Vec<[u8; N]>> {
        let Some((start, count)) = self.list(field, N)? else { return Ok(Vec::new()) };
        (0..count).map(|number| array(self.bytes, start + N * number)).collect()
    }

    /// Where a list starts, and how many elements of that size it has; it ends within the file.
    fn list(&self, field: usize, size: usize) -> Found<Option<(usize, usize)>> {
        let Some(at) = self.referred(field)? else { return Ok(None) };
        let count = u32::from_le_bytes(array(self.bytes, at)?) as usize;
        let start = at + 4;
        let end = count.checked_mul(size).and_then(|length| start.checked_add(length)).ok_or(Damaged)?;
        if end <= self.bytes.len() { Ok(Some((start, count))) } else { Err(Damaged) }
    }
}

fn offset(bytes: &[u8], at: usize) -> Found<usize> {
    at.checked_add(u32::from_le_bytes(array(bytes, at)?) as usize).ok_or(Damaged)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Found<[u8; N]> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Damaged)
}
