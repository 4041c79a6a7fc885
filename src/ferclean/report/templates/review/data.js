// What the page was made of, and where a face lies on its sheet.
const page = JSON.parse(document.getElementById("data").textContent);
const rowOf = new Map(page.ids.slice(0, page.rows).map((id, row) => [id, row]));

// Letters that no command uses name the classes after the tenth.
const CLASS_KEYS = "1234567890bcdefghijloqrstvwyz";
const classOfKey = new Map(page.classes.slice(0, CLASS_KEYS.length).map((_, code) => [CLASS_KEYS[code], code]));

const find = (id) => document.getElementById(id);
const className = (code) => (code < 0 ? "nothing" : page.classes[code]);
const percent = (share) => {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${(100 * share).toFixed(share > 0.0995 || share === 0 ? 0 : 1)} %`;
};

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Draw a face as the part of a sheet; `width` is in CSS pixels.
function putFace(element, face, width) {
  const sheet = page.sheets, scale = width / sheet.width, each = sheet.across ** 2;
  const place = face % each;
  const left = (place % sheet.across) * sheet.tile_width + sheet.margin;
  const above = Math.floor(place / sheet.across) * sheet.tile_height + sheet.margin;
  const style = element.style;
  style.width = `${width}px`;
  style.height = `${Math.round(sheet.height * scale)}px`;
  style.backgroundImage = `url("${sheet.files[Math.floor(face / each)]}")`;
  style.backgroundSize = `${sheet.across * sheet.tile_width * scale}px auto`;
  style.backgroundPosition = `${-left * scale}px ${-above * scale}px`;
}
