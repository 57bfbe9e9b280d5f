'use strict';
// What WebGL draws: dots for all modules, spheres for those hit, lines for particles and the frame.
// Spheres are squares that face the eye; each pixel computes the surface's normal and its depth, so
// that spheres, dots and lines hide one another as bodies do.

// Viridis from yellow (early) to violet (late); its darkest end is left out.
const TIME_COLOURS = ['#fde725', '#c8e020', '#90d743', '#5ec962', '#35b779', '#28ae80', '#1f9e89',
                      '#21918c', '#26828e', '#2b758e', '#31688e', '#375a8c', '#3e4989', '#443a83'];

const colourOf = text => [1, 3, 5].map(i => parseInt(text.slice(i, i + 2), 16) / 255);

const SPHERE_VERTEX = `#version 300 es
layout(location = 0) in vec2 corner;
layout(location = 1) in vec4 sphere;   // centre [m], radius [m]
layout(location = 2) in vec3 colour;
uniform mat4 view, projection;
out vec2 place;
out vec3 centre, tint;
out float radius;
void main() {
  centre = (view * vec4(sphere.xyz, 1.0)).xyz;
  radius = sphere.w;
  place = corner;
  tint = colour;
  gl_Position = projection * vec4(centre + vec3(corner * radius, 0.0), 1.0);
}`;

const SPHERE_FRAGMENT = `#version 300 es
precision highp float;
in vec2 place;
in vec3 centre, tint;
in float radius;
uniform mat4 projection;
out vec4 pixel;
void main() {
  float from_axis = dot(place, place);
  if (from_axis > 1.0) discard;
  vec3 normal = vec3(place, sqrt(1.0 - from_axis));
  vec4 clip = projection * vec4(centre + normal * radius, 1.0);
  gl_FragDepth = 0.5 * clip.z / clip.w + 0.5;
  float light = 0.42 + 0.58 * max(dot(normal, normalize(vec3(-0.4, 0.6, 0.75))), 0.0);
  float glint = pow(max(dot(normal, normalize(vec3(-0.25, 0.4, 0.9))), 0.0), 40.0);
  pixel = vec4(tint * light + 0.25 * glint, 1.0);
}`;

const DOT_VERTEX = `#version 300 es
layout(location = 0) in vec3 position;
uniform mat4 view, projection;
uniform float size;                    // [m], drawn with at least 1.5 pixels
uniform float pixels;                  // height of the view
void main() {
  vec4 eye = view * vec4(position, 1.0);
  gl_Position = projection * eye;
  gl_PointSize = clamp(size * projection[1][1] * pixels / (-2.0 * eye.z), 1.5, 14.0);
}`;

const DOT_FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 tint;
out vec4 pixel;
void main() {
  if (length(gl_PointCoord - 0.5) > 0.5) discard;
  pixel = vec4(tint, 1.0);
}`;

// A line is a strip that faces the eye: corner.x runs along it, corner.y across.
const LINE_VERTEX = `#version 300 es
layout(location = 0) in vec2 corner;
layout(location = 1) in vec3 from;
layout(location = 2) in vec3 to;
layout(location = 3) in vec4 style;    // colour, width [pixels]
uniform mat4 view, projection;
uniform vec2 screen;
out vec3 tint;
void main() {
  vec4 a = view * vec4(from, 1.0), b = view * vec4(to, 1.0);
  const float near = -1e-3;
  if (a.z > near && b.z < near) a = mix(b, a, (near - b.z) / (a.z - b.z));
  if (b.z > near && a.z < near) b = mix(a, b, (near - a.z) / (b.z - a.z));
  vec4 start = projection * a, stop = projection * b;
  vec2 along = normalize((stop.xy / stop.w - start.xy / start.w) * screen + vec2(1e-6, 0.0));
  vec4 here = corner.x < 0.0 ? start : stop;
  here.xy += corner.y * style.w * vec2(-along.y, along.x) / screen * here.w;
  tint = style.rgb;
  gl_Position = here;
}`;

const LINE_FRAGMENT = `#version 300 es
precision highp float;
in vec3 tint;
out vec4 pixel;
void main() { pixel = vec4(tint, 1.0); }`;

class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    const gl = this.gl = canvas.getContext('webgl2', {antialias: true, preserveDrawingBuffer: true});
    if (!gl) return;
    this.sphereProgram = this.program(SPHERE_VERTEX, SPHERE_FRAGMENT);
    this.dotProgram = this.program(DOT_VERTEX, DOT_FRAGMENT);
    this.lineProgram = this.program(LINE_VERTEX, LINE_FRAGMENT);
    this.corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    this.dots = this.shape([[0, 3, 0, 3]], false);
    this.spheres = this.shape([[1, 4, 0, 7], [2, 3, 4, 7]], true);
    this.lines = this.shape([[1, 3, 0, 10], [2, 3, 3, 10], [3, 4, 6, 10]], true);
  }

  program(vertex, fragment) {
    const gl = this.gl, program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    const uniforms = {};
    const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
    for (let i = 0; i < count; ++i) {
      const {name} = gl.getActiveUniform(program, i);
      uniforms[name] = gl.getUniformLocation(program, name);
    }
    return {program, uniforms};
  }

  // Floats in one buffer; parts are [location, components, offset, stride], counted in floats.
  shape(parts, instanced) {
    const gl = this.gl, array = gl.createVertexArray(), buffer = gl.createBuffer();
    gl.bindVertexArray(array);
    if (instanced) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.corners);
      gl.enableVertexAttribArray(0);
      gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (const [location, components, offset, stride] of parts) {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, components, gl.FLOAT, false, 4 * stride, 4 * offset);
      if (instanced) gl.vertexAttribDivisor(location, 1);
    }
    return {array, buffer, count: 0, stride: parts[0][3]};
  }

  fill(shape, values) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, shape.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(values), gl.DYNAMIC_DRAW);
    shape.count = values.length / shape.stride;
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
  }

  use({program, uniforms}, camera) {
    const gl = this.gl;
    gl.useProgram(program);
    gl.uniformMatrix4fv(uniforms.view, false, camera.viewMatrix());
    gl.uniformMatrix4fv(uniforms.projection, false,
                        camera.projectionMatrix(this.canvas.width / this.canvas.height));
    return uniforms;
  }

  draw(camera, {paper, sensor, dotSize}) {
    const gl = this.gl;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(...paper, 1);
    gl.enable(gl.DEPTH_TEST);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    let uniforms = this.use(this.dotProgram, camera);
    gl.uniform3f(uniforms.tint, ...sensor);
    gl.uniform1f(uniforms.size, dotSize);
    gl.uniform1f(uniforms.pixels, this.canvas.height);
    gl.bindVertexArray(this.dots.array);
    gl.drawArrays(gl.POINTS, 0, this.dots.count);
    this.use(this.sphereProgram, camera);
    gl.bindVertexArray(this.spheres.array);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.spheres.count);
    uniforms = this.use(this.lineProgram, camera);
    gl.uniform2f(uniforms.screen, this.canvas.width, this.canvas.height);
    gl.bindVertexArray(this.lines.array);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.lines.count);
  }
}
