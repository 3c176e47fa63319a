import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const { PAGE_PORT = "5173", ISSUER_PORT = "3000" } = process.env;
const server = {
  host: "127.0.0.1",
  port: Number(PAGE_PORT),
  strictPort: true,
  // Better Auth is on the origin of the page, as in most front ends.
  proxy: { "/api/auth": `http://127.0.0.1:${ISSUER_PORT}` },
};

export default defineConfig({
  plugins: [react()],
  server,
  preview: server,
  build: { chunkSizeWarningLimit: 1000 },
  logLevel: "warn",
});
