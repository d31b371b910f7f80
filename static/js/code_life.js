// The life of a self client's code counts down from when it is pasted, by the time that was chosen.

const code = document.getElementById("code");
const minutes = document.getElementById("minutes");
const shown = document.getElementById("code-life");
let endsAt = 0;

function written(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function show() {
  const left = Math.ceil((endsAt - Date.now()) / 1000);
  shown.hidden = !code.value;
  shown.textContent = left > 0 ? shown.dataset.left.replace("{time}", written(left)) : shown.dataset.over;
}

function begin() {
  endsAt = Date.now() + Number(minutes.value) * 60_000;
  show();
}

code.addEventListener("input", begin);
minutes.addEventListener("change", begin);
setInterval(show, 1000);
