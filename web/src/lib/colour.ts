// Contrast and colour blindness, computed: WCAG 2.2 "contrast ratio", Machado, Oliveira and Fernandes 2009 for
// deuteranopia, and Ottosson's OKLab for how far apart two colours look.

export type Rgb = readonly [number, number, number] // 0..255

export function parseHex(hex: string): Rgb {
  const match = /^#([0-9a-f]{6})$/i.exec(hex.trim())
  if (!match) throw new Error(`'${hex}' is no colour of the form #rrggbb`)
  const value = parseInt(match[1]!, 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

export function toHex(colour: Rgb): string {
  return '#' + colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')
}

function linear(part: number): number {
  const value = part / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

function gamma(value: number): number {
  const clamped = Math.min(1, Math.max(0, value))
  return 255 * (clamped <= 0.0031308 ? clamped * 12.92 : 1.055 * clamped ** (1 / 2.4) - 0.055)
}

export function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

export function deuteranopia([red, green, blue]: Rgb): Rgb {
  const [r, g, b] = [linear(red), linear(green), linear(blue)]
  return [
    gamma(0.367322 * r + 0.860646 * g - 0.227968 * b),
    gamma(0.280085 * r + 0.672501 * g + 0.047413 * b),
    gamma(-0.01182 * r + 0.04294 * g + 0.968881 * b),
  ]
}

function oklab([red, green, blue]: Rgb): Rgb {
  const [r, g, b] = [linear(red), linear(green), linear(blue)]
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

// Distance in OKLab, times 100.
export function apart(one: Rgb, other: Rgb): number {
  const [a, b] = [oklab(one), oklab(other)]
  return 100 * Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

// The colour moved towards black or white, whichever is away from `on`, until it can be read there.
export function readableOn(colour: Rgb, on: Rgb, least = 4.5): Rgb {
  if (contrast(colour, on) >= least) return colour
  const goal = luminance(on) > 0.18 ? 0 : 255
  let [near, far] = [0, 1]
  for (let step = 0; step < 12; step++) {
    const middle = (near + far) / 2
    if (contrast(mix(colour, goal, middle), on) >= least) far = middle
    else near = middle
  }
  return mix(colour, goal, far)
}

function mix(colour: Rgb, goal: number, share: number): Rgb {
  return colour.map((part) => Math.round(part + (goal - part) * share)) as unknown as Rgb
}
