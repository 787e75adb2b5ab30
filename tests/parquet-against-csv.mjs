// Opens every table of a run's directory with a reader of Parquet that is not ours (npm's hyparquet) and compares it with the CSV beside it: names and
// order of columns, types (text, 64-bit integer, double), every value, and that nothing is null but what is empty in the CSV. Called by with-packages.sh.
//
//   node tests/parquet-against-csv.mjs MODULES RUN...    MODULES: a directory with hyparquet in its node_modules
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [modules, ...runs] = process.argv.slice(2)
const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import(pathToFileURL(createRequire(join(modules, 'x.js')).resolve('hyparquet')))

// RFC 4180.
function cells(line) {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted === undefined ? plain : quoted.replaceAll('""', '"'))
}

const readings = { BYTE_ARRAY: text => text, INT64: text => BigInt(text), DOUBLE: text => Number(text) }

async function faultOf(run, table) {
  const [header, ...lines] = readFileSync(join(run, `${table}.csv`), 'utf8').trimEnd().split('\n').map(cells)
  const file = await asyncBufferFromFile(join(run, `${table}.parquet`))
  const metadata = await parquetMetadataAsync(file)
  const columns = metadata.schema.slice(1)
  if (columns.map(column => column.name).join() !== header.join()) return `columns are ${columns.map(column => column.name)}, of the CSV ${header}`
  for (const column of columns)
    if (!(column.type in readings) || column.repetition_type !== 'OPTIONAL' || column.type === 'BYTE_ARRAY' && column.converted_type !== 'UTF8') return `${column.name} is a ${column.repetition_type} ${column.type} ${column.converted_type}`
  const rows = await parquetReadObjects({ file, metadata })
  if (rows.length !== lines.length) return `has ${rows.length} rows, the CSV ${lines.length}`
  for (const [i, line] of lines.entries())
    for (const [at, { name, type }] of columns.entries()) {
      const [stored, told] = [rows[i][name] ?? null, line[at] === '' ? null : readings[type](line[at])]
      if (stored !== told) return `row ${i + 1}, ${name}: ${stored}, in the CSV "${line[at]}"`
    }
  return ''
}

let failed = 0
for (const run of runs)
  for (const table of readdirSync(run).filter(name => name.endsWith('.parquet')).map(name => name.slice(0, -'.parquet'.length))) {
    const fault = await faultOf(run, table).catch(error => error.message)
    if (fault) console.log(`${run}/${table}.parquet: ${fault}`)
    if (fault) failed++
  }
process.exitCode = failed === 0 ? 0 : 1
