//! Sample layout of a JPEG, and the decoder that reads it correctly.
//!
//! Neither decoder reads everything that libjpeg writes: some layouts give wrong pixels without an error, and some make
//! a decoder panic. `tests/libjpeg` compares them; layouts that neither reads correctly are rejected.

use memchr::memmem;

use super::{END_OF_IMAGE, START_OF_SCAN, Segments};
use crate::ImageError;

/// Marker of Adobe's segment, which describes the colour space; others write it, too.
const ADOBE_MARKER: &[u8] = &[0xFF, 0xEE];

/// Most scans of an image: libjpeg writes ten, and each may cost as much as the whole image.
const MAX_SCANS: usize = 100;

/// Coefficients of a block of 8 by 8 samples.
const COEFFICIENTS: usize = 64;

/// A decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    /// The fast decoder, for nearly all images.
    Zune,
    /// The slower decoder, for most other images.
    JpegDecoder,
}

/// Sample layout as described by the headers.
#[derive(Debug, Default)]
pub(super) struct Layout {
    size: (u32, u32),
    is_progressive: bool,
    components: Vec<Component>,
    /// Components of the first scan.
    first_scan: usize,
    scans: usize,
    /// True if the end marker is present.
    pub(super) has_end: bool,
}

#[derive(Debug)]
struct Component {
    id: u8,
    /// Sampling factors, across and down.
    sampling: (u32, u32),
    /// True if a scan has only this component.
    is_alone: bool,
    /// Coefficients received with all of their bits.
    complete: [bool; COEFFICIENTS],
}

impl Layout {
    /// Parses the headers of frame and scans.
    ///
    /// # Errors
    /// If there are no pixels, too many scans, or a segment between the scans on which a decoder panics.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let mut layout = Self::default();
        let mut segments = Segments::new(bytes);
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
        let pixels = pixels.and_then(|from| from.get(..from.len() - end.len())).ok_or(ImageError::Truncated)?;
        if memmem::find(pixels, ADOBE_MARKER).is_some() {
            return Err(ImageError::Broken("it says amid its pixels how their colours are kept".to_owned()));
        }
        Ok(layout)
    }

    fn add_frame(&mut self, marker: u8, header: &[u8]) -> Result<(), ImageError> {
        let (size, components) = super::frame_size(header).zip(header.get(6..)).ok_or(ImageError::Truncated)?;
        if !self.components.is_empty() {
            return Err(ImageError::Broken("it has several frames".to_owned()));
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

    fn add_scan(&mut self, header: &[u8]) -> Result<(), ImageError> {
        let Some((count, rest)) = header.split_first() else { return Err(ImageError::Truncated) };
        let count = usize::from(*count);
        let (Some(ids), Some([first, last, approximation, ..])) = (rest.get(..2 * count), rest.get(2 * count..)) else {
            return Err(ImageError::Truncated);
        };
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(ImageError::Broken(format!("it has more than {MAX_SCANS} scans")));
        }
        if self.scans == 1 {
            self.first_scan = count;
        }
        for id in ids.iter().step_by(2) {
            for component in self.components.iter_mut().filter(|component| component.id == *id) {
                component.is_alone |= count == 1;
                // The lower half has the number of bits still to come.
                if approximation & 15 == 0
                    && let Some(complete) = component.complete.get_mut(usize::from(*first)..=usize::from(*last))
                {
                    complete.fill(true);
                }
            }
        }
        Ok(())
    }

    /// Chooses a decoder; `luma_only` if only luma is needed.
    ///
    /// # Errors
    /// If neither reads the image correctly.
    pub(super) fn backend(&self, luma_only: bool) -> Result<Backend, ImageError> {
        if self.suits_zune(luma_only) {
            Ok(Backend::Zune)
        } else if self.suits_jpeg_decoder() {
            Ok(Backend::JpegDecoder)
        } else {
            Err(ImageError::Broken("its samples are kept in a way that is not read here".to_owned()))
        }
    }

    /// Returns true if zune-jpeg reads the image correctly.
    ///
    /// It assumes that the first component is the densest, that the others are sampled at whole fractions of it, and
    /// that all are in one scan unless the image is progressive. It also loses rows of luma if colours are halved only
    /// vertically.
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

    /// Returns true if jpeg-decoder reads the image correctly.
    ///
    /// It counts the blocks of a component with its own scan by the image's size, which is right for the densest and
    /// the least dense components, and for others by chance.
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

    /// Returns true if every coefficient has all of its bits.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_progressive
            || self.components.iter().all(|component| component.complete.iter().all(|complete| *complete))
    }

    /// Returns the number of components of a pixel.
    pub(super) fn component_count(&self) -> usize {
        self.components.len()
    }

    fn densest(&self) -> (u32, u32) {
        let densest = |of: fn(&Component) -> u32| self.components.iter().map(of).max().unwrap_or(1);
        (densest(|component| component.sampling.0), densest(|component| component.sampling.1))
    }
}

/// Marker of a progressive frame.
const PROGRESSIVE: u8 = 0xC2;
