package page

// accountStyle is the account page's: the colours are those of style. All text
// has a contrast of 4.5:1 or more, edges of controls 3:1 (WCAG 2.2, 1.4.3 and
// 1.4.11), in light and in dark.
const accountStyle = `:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--text:#1c2430;--soft:#5a6575;--line:#d9dde3;--edge:#76818f;--act:#1f5fbf;--link:#1f5fbf;--ring:#4d86d9;--danger:#b3261e;--warn:#b3261e;--good:#1d7a46;--tint:#eef3fb}
@media(prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1b2129;--text:#e6e9ee;--soft:#9aa6b5;--line:#323b47;--edge:#758294;--act:#2f6fd0;--link:#8ab4f8;--ring:#6fa1ec;--danger:#c43a31;--warn:#ff9a90;--good:#6fcf97;--tint:#202b3a}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:50rem;font:1rem/1.5 system-ui,sans-serif;background:var(--ground);color:var(--text);overflow-wrap:anywhere}
header{display:flex;flex-wrap:wrap;align-items:start;justify-content:space-between;gap:.75rem 1.5rem;margin-bottom:1.25rem}
header div{flex:1 1 12rem}
h1,h2,h3{margin:0;line-height:1.25}
h1{font-size:1.6rem}
h2{font-size:1.25rem}
h3{font-size:1rem}
p{margin:.25rem 0}
header p,.hint,.empty{color:var(--soft)}
header strong{color:var(--text)}
.hint{font-size:.9rem}
.empty{margin:1rem 0 0}
.empty+h3,.items+h3{margin-top:1.5rem;font-size:1.1rem}
section,.panel{margin:0 0 1.25rem;padding:1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
.panel{padding:.75rem 1.25rem;border-left-width:.35rem}
.panel.good{border-left-color:var(--good)}
.panel.bad{border-left-color:var(--warn)}
.panel.secret{padding:1.25rem 1.5rem;background:var(--tint);border:2px solid var(--act)}
code,.id{font-family:ui-monospace,monospace;font-size:.9em}
#secret{display:block;margin:.75rem 0;padding:.75rem;background:var(--card);border:1px solid var(--edge);border-radius:.5rem;font-size:1rem;user-select:all}
.row{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 1rem}
.items{margin:1rem 0;padding:0;list-style:none}
.items>li{padding:1rem 0;border-top:1px solid var(--line)}
.items>li:last-child{border-bottom:1px solid var(--line)}
.badge{display:inline-block;margin-left:.25rem;padding:0 .5rem;border:1px solid;border-radius:1rem;font-size:.8rem;font-weight:600;line-height:1.4rem;color:var(--good)}
.badge.bad{color:var(--warn)}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:.5rem 1rem;margin:.5rem 0 0;font-size:.9rem}
#sessions dl{grid-template-columns:repeat(auto-fill,minmax(20rem,1fr))}
dl .wide{grid-column:1/-1}
dt{color:var(--soft)}
dd{margin:0}
dd code{display:inline-block;margin:.1rem 0;padding:0 .4rem;border:1px solid var(--line);border-radius:.35rem}
.actions{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:.75rem}
details[open]{flex-basis:100%}
a,button,summary{display:inline-block;min-height:2.75rem;padding:.55rem 1rem;border:1px solid var(--edge);border-radius:.5rem;font:inherit;color:var(--link);cursor:pointer;text-decoration:none}
a,summary{background:var(--card)}
button{border-color:transparent;background:var(--act);color:#fff}
button.danger{background:var(--danger)}
summary{list-style:none}
summary::-webkit-details-marker{display:none}
a:hover,summary:hover{border-color:var(--link)}
button:hover{text-decoration:underline}
:focus-visible{outline:3px solid var(--ring);outline-offset:2px}
.panel:focus-visible{outline-width:2px;outline-offset:0}
details form{margin-top:.5rem;padding:1rem;border:1px solid var(--line);border-radius:.5rem;background:var(--ground)}
form p:first-of-type{margin-top:0}
details label{display:block;margin-top:.75rem}
details button{margin-top:.5rem}
label,legend{font-weight:600}
input[type=text],select{display:block;width:100%;max-width:28rem;min-height:2.75rem;margin:.25rem 0;padding:.5rem .75rem;border:1px solid var(--edge);border-radius:.5rem;font:inherit;background:var(--card);color:var(--text)}
#create{margin-top:.75rem}
#create>label{display:block;margin-top:1rem}
#create>button{margin-top:1rem}
fieldset{min-width:0;margin:1rem 0 0;padding:0;border:0}
legend{padding:0}
.scopes{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));gap:0 1rem}
.scopes label{display:flex;align-items:center;gap:.6rem;min-height:2.75rem;padding:.25rem 0;font-weight:400;cursor:pointer}
.scopes input{flex:none;width:1.25rem;height:1.25rem;margin:0;accent-color:var(--act)}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:30rem){section{padding:1.25rem 1rem}dl,#sessions dl{grid-template-columns:1fr;gap:.25rem}dl div{display:flex}dt{flex:0 0 5rem}}`

// accountScript shows the button that copies a new token. Without a clipboard,
// as on pages without TLS, it selects the token instead.
const accountScript = `(function(){
var secret=document.getElementById("secret"),copy=document.getElementById("copy"),copied=document.getElementById("copied");
function select(){
var range=document.createRange(),selection=getSelection();
range.selectNodeContents(secret);
selection.removeAllRanges();
selection.addRange(range);
copied.textContent="Selected: copy it from here.";
}
copy.hidden=false;
copy.addEventListener("click",function(){
copied.textContent="";
if(!navigator.clipboard){select();return}
navigator.clipboard.writeText(secret.textContent).then(function(){copied.textContent="Copied"},select);
});
})();`
