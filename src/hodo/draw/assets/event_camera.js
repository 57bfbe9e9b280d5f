'use strict';
// A camera that turns about a point, with z upwards. Matrices are arrays of 16, column by column.

class Camera {
  constructor() {
    this.fieldOfView = 40 * Math.PI / 180;
    this.show({centre: [0, 0, 0], radius: 1});
  }

  // Looks at a sphere so that nearly all of it is in view; detectors rarely fill its corners.
  show({centre, radius}) {
    this.target = [...centre];
    this.size = Math.max(radius, 1e-3);
    this.distance = 0.92 * this.size / Math.sin(this.fieldOfView / 2);
    this.yaw = -0.9;
    this.pitch = 0.28;
  }

  turn(yaw, pitch) {
    this.yaw += yaw;
    this.pitch = Math.min(1.55, Math.max(-1.55, this.pitch + pitch));
  }

  zoom(factor) {
    this.distance = Math.min(40 * this.size, Math.max(0.01 * this.size, this.distance * factor));
  }

  // Moves the target by a distance on the screen [pixels].
  move(dx, dy, height) {
    const scale = 1 / this.pixelsPerMetre(this.distance, height);
    const {right, up} = this.directions();
    for (let i = 0; i < 3; ++i) this.target[i] += scale * (dy * up[i] - dx * right[i]);
  }

  // Unit vectors of the view; `back` points from the target to the eye.
  directions() {
    const cy = Math.cos(this.yaw), sy = Math.sin(this.yaw);
    const cp = Math.cos(this.pitch), sp = Math.sin(this.pitch);
    return {right: [-sy, cy, 0], up: [-cy * sp, -sy * sp, cp], back: [cy * cp, sy * cp, sp]};
  }

  pixelsPerMetre(depth, height) {
    return height / (2 * depth * Math.tan(this.fieldOfView / 2));
  }

  viewMatrix() {
    const {right, up, back} = this.directions();
    const dot = axis => axis[0] * this.target[0] + axis[1] * this.target[1] + axis[2] * this.target[2];
    return new Float32Array([right[0], up[0], back[0], 0, right[1], up[1], back[1], 0,
                             right[2], up[2], back[2], 0,
                             -dot(right), -dot(up), -dot(back) - this.distance, 1]);
  }

  projectionMatrix(aspect) {
    const far = this.distance + 6 * this.size;
    const near = Math.max(this.distance - 6 * this.size, far / 2000);
    const f = 1 / Math.tan(this.fieldOfView / 2);
    return new Float32Array([f / aspect, 0, 0, 0, 0, f, 0, 0,
                             0, 0, (far + near) / (near - far), -1,
                             0, 0, 2 * far * near / (near - far), 0]);
  }

  // Position on the screen [pixels] and distance from the eye; null behind the eye.
  project(point, width, height) {
    const m = this.viewMatrix();
    const x = m[0] * point[0] + m[4] * point[1] + m[8] * point[2] + m[12];
    const y = m[1] * point[0] + m[5] * point[1] + m[9] * point[2] + m[13];
    const depth = -(m[2] * point[0] + m[6] * point[1] + m[10] * point[2] + m[14]);
    if (depth <= 0) return null;
    const scale = this.pixelsPerMetre(depth, height);
    return {x: width / 2 + x * scale, y: height / 2 - y * scale, depth, scale};
  }
}
