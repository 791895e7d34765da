//! How a JPEG keeps its samples, and which decoder reads that right.
//!
//! Neither decoder reads everything that libjpeg writes: some layouts come out as other pixels, without an error, and some make
//! a decoder panic. `tests/libjpeg` compares them; what neither reads right is refused.

use memchr::memmem;

use super::{END_OF_IMAGE, START_OF_SCAN, Segments};
use crate::Refusal;

/// The marker of the segment in which Adobe's programs, and by now others, say what the colours are.
const COLOURS: &[u8] = &[0xFF, 0xEE];

/// How many scans a picture may have: libjpeg writes ten, and each can cost as much as the whole picture.
const MAX_SCANS: usize = 100;

/// Coefficients of a block of 8 by 8 samples.
const COEFFICIENTS: usize = 64;

/// Which decoder reads a picture right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    /// The fast one, for what nearly all pictures are.
    Zune,
    /// The slower one, for most of the others.
    JpegDecoder,
}

/// What the headers say of the way in which samples are kept.
#[derive(Debug, Default)]
pub(super) struct Layout {
    size: (u32, u32),
    is_progressive: bool,
    components: Vec<Component>,
    /// How many components the first scan has.
    first_scan: usize,
    scans: usize,
    /// Whether the picture has its end marker.
    pub(super) has_end: bool,
}

#[derive(Debug)]
struct Component {
    id: u8,
    /// Samples for each that the least dense component could have, across and down.
    sampling: (u32, u32),
    /// Whether a scan has this component alone.
    is_alone: bool,
    /// The coefficients that have come with all of their bits.
    complete: [bool; COEFFICIENTS],
}

impl Layout {
    /// Reads the headers of frame and scans.
    ///
    /// # Errors
    /// When there are no pixels, too many scans, or a statement amid the pixels at which a decoder panics.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut layout = Self::default();
        let mut segments = Segments::of(bytes);
        let mut pixels = None;
        let end = loop {
            let rest = segments.0;
            match segments.next() {
                Some((END_OF_IMAGE, _)) => {
                    layout.has_end = true;
                    break rest;
                }
                Some((START_OF_SCAN, header)) => {
                    pixels = pixels.or(Some(rest));
                    layout.add_scan(header)?;
                }
                Some((marker, header)) if super::is_frame(marker) => layout.add_frame(marker, header)?,
                Some(_) => {}
                None => break &[],
            }
        };
        let pixels = pixels.and_then(|from| from.get(..from.len() - end.len())).ok_or(Refusal::Truncated)?;
        if memmem::find(pixels, COLOURS).is_some() {
            return Err(Refusal::Broken("it says amid its pixels how their colours are kept".to_owned()));
        }
        Ok(layout)
    }

    fn add_frame(&mut self, marker: u8, header: &[u8]) -> Result<(), Refusal> {
        let (size, components) = super::frame_size(header).zip(header.get(6..)).ok_or(Refusal::Truncated)?;
        if !self.components.is_empty() {
            return Err(Refusal::Broken("it has several frames".to_owned()));
        }
        self.size = size;
        self.is_progressive = marker == PROGRESSIVE;
        let component = |bytes: &[u8]| match bytes {
            [id, sampling, _table] => Some(Component {
                id: *id,
                sampling: (u32::from(sampling >> 4).max(1), u32::from(sampling & 15).max(1)),
                is_alone: false,
                complete: [false; COEFFICIENTS],
            }),
            _ => None,
        };
        self.components = components.chunks_exact(3).filter_map(component).collect();
        Ok(())
    }

    fn add_scan(&mut self, header: &[u8]) -> Result<(), Refusal> {
        let Some((count, rest)) = header.split_first() else { return Err(Refusal::Truncated) };
        let count = usize::from(*count);
        let (Some(ids), Some([first, last, approximation, ..])) = (rest.get(..2 * count), rest.get(2 * count..)) else {
            return Err(Refusal::Truncated);
        };
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(Refusal::Broken(format!("it has more than {MAX_SCANS} scans")));
        }
        if self.scans == 1 {
            self.first_scan = count;
        }
        for id in ids.iter().step_by(2) {
            for component in self.components.iter_mut().filter(|component| component.id == *id) {
                component.is_alone |= count == 1;
                // In the lower half there is how many of the bits are still to come.
                if approximation & 15 == 0
                    && let Some(complete) = component.complete.get_mut(usize::from(*first)..=usize::from(*last))
                {
                    complete.fill(true);
                }
            }
        }
        Ok(())
    }

    /// Which decoder reads the picture right; `luma_only` where nothing but the brightness is wanted.
    ///
    /// # Errors
    /// When neither does.
    pub(super) fn backend(&self, luma_only: bool) -> Result<Backend, Refusal> {
        if self.suits_zune(luma_only) {
            Ok(Backend::Zune)
        } else if self.suits_jpeg_decoder() {
            Ok(Backend::JpegDecoder)
        } else {
            Err(Refusal::Broken("its samples are kept in a way that is not read here".to_owned()))
        }
    }

    /// zune-jpeg takes it that the first component is as dense as any, a whole number of times as dense as each, and that all come
    /// in one scan unless the picture is progressive; and it loses rows of the brightness alone where the colours are halved from top to bottom only.
    fn suits_zune(&self, luma_only: bool) -> bool {
        let densest = self.densest();
        let first = self.components.first().map(|first| first.sampling);
        let divides = |component: &Component| {
            densest.0.is_multiple_of(component.sampling.0) && densest.1.is_multiple_of(component.sampling.1)
        };
        let is_usual = first == Some(densest)
            && self.components.iter().all(divides)
            && (self.is_progressive || self.first_scan == self.components.len());
        let loses_rows = luma_only && self.is_progressive && self.components.len() > 1 && densest == (1, 2);
        is_usual && !loses_rows
    }

    /// jpeg-decoder counts the blocks of a component that a scan has alone by the picture's size, which is right for the densest
    /// components, for the least dense ones, and for others by chance.
    pub(super) fn suits_jpeg_decoder(&self) -> bool {
        let (across, down) = self.densest();
        let counts_right = |size: u32, sampling: u32, densest: u32| {
            let blocks = (size * sampling).div_ceil(densest * 8);
            blocks == (size.div_ceil(densest * 8) * sampling).min(size.div_ceil(8))
        };
        self.components.iter().filter(|component| component.is_alone).all(|component| {
            counts_right(self.size.0, component.sampling.0, across)
                && counts_right(self.size.1, component.sampling.1, down)
        })
    }

    /// Whether every coefficient has come with all of its bits.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_progressive
            || self.components.iter().all(|component| component.complete.iter().all(|complete| *complete))
    }

    /// How many colours, or what stands for them, a pixel has.
    pub(super) fn component_count(&self) -> usize {
        self.components.len()
    }

    fn densest(&self) -> (u32, u32) {
        let densest = |of: fn(&Component) -> u32| self.components.iter().map(of).max().unwrap_or(1);
        (densest(|component| component.sampling.0), densest(|component| component.sampling.1))
    }
}

/// The marker of a frame that comes as ever finer coefficients.
const PROGRESSIVE: u8 = 0xC2;
