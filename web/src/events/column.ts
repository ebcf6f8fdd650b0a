// The column, from 1, that a refusal of a filter names.
export function columnOf(message: string): number | undefined {
  const match = /at column (\d+)/.exec(message)
  return match ? Number(match[1]) : undefined
}
