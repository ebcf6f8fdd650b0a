// Places of the nodes, left to right. Laid out once from the plan: states change, places never. A chunk of its own.
import dagre from '@dagrejs/dagre'
import type { Node } from './plan'

export const nodeWidth = 200
export const nodeHeight = 44

export interface Placed {
  id: string
  x: number
  y: number
}
export interface Edge {
  from: string
  to: string
  path: string
}
export interface Graph {
  width: number
  height: number
  nodes: Placed[] // in the order in which they can run
  edges: Edge[]
}

export function layOut(nodes: readonly Pick<Node, 'id' | 'needs'>[]): Graph {
  const graph = new dagre.graphlib.Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 12, ranksep: 48, marginx: 4, marginy: 4 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of nodes) graph.setNode(node.id, { width: nodeWidth, height: nodeHeight })
  for (const node of nodes) for (const need of node.needs) graph.setEdge(need, node.id)
  dagre.layout(graph)
  const placed = nodes.map(({ id }) => {
    const { x, y } = graph.node(id)
    return { id, x: x - nodeWidth / 2, y: y - nodeHeight / 2 }
  })
  placed.sort((a, b) => a.x - b.x || a.y - b.y)
  const { width = 0, height = 0 } = graph.graph()
  return { width, height, nodes: placed, edges: graph.edges().map(({ v, w }) => edge(graph, v, w)) }
}

function edge(graph: dagre.graphlib.Graph, from: string, to: string): Edge {
  const [a, b] = [graph.node(from), graph.node(to)]
  const [x1, x2] = [a.x + nodeWidth / 2, b.x - nodeWidth / 2]
  const bend = (x2 - x1) / 2
  return { from, to, path: `M${x1} ${a.y}C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2} ${b.y}` }
}
